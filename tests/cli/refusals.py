"""What every refusal of the command line looks like."""


def refused(outcome) -> str:
    """The one sentence of a refusal."""
    assert outcome.status == 2
    assert outcome.out == ""
    assert outcome.err.startswith("tammann: ") and outcome.err.count("\n") == 1
    assert "Traceback" not in outcome.err
    return outcome.err
