"""How much memory it takes to take steps of a model apart."""

#: For each number of a step, of each learner: its values and their spreads at all stages, in
#: float64. It was found on networks of some million weights.
BYTES_PER_NUMBER = 100


def needed_bytes(step_numbers: int, learners: int) -> int:
    """Return what it takes to take one step apart; the training around it takes as much again."""
    return 2 * step_numbers * BYTES_PER_NUMBER * learners


def numbers_with_room(available_bytes: int, step_numbers: int, learners: int) -> float:
    """Return of how many numbers all steps that are taken apart may consist together.

    Args:
        available_bytes: what there is for the steps and the training around them.
        step_numbers: of how many a single step consists.
        learners: how many are compared, and alive together.
    """
    return available_bytes / BYTES_PER_NUMBER / learners - step_numbers
