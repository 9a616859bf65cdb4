"""How many threads the frameworks of tests take."""

#: Torch's threads wait for each other by spinning: beside another test on the same cores, two of
#: them make an epoch many times as long.
ONE_THREAD = {"OMP_NUM_THREADS": "1"}
