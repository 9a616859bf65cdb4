from bench.measure.machine import this_machine


def test_the_fingerprint_is_that_of_the_facts():
    machine = this_machine()
    assert machine == this_machine()
    assert machine.cpu
    assert 1 <= machine.usable_cores <= machine.logical_cores
    assert len(machine.fingerprint) == 8
