"""The published table from its public repository, by pooch: one commit, checked by its digest."""

from __future__ import annotations

import os
from typing import Any

from tammann.diffusivity.table import DiffusivityTable, load_published
from tammann.errors import DataError

REPOSITORY = "Tinaatucsd/DFT_amorphous_structure"
COMMIT = "c7c5254fdfdaeaa7531b390446c6f62b8bb038ff"
FILE = "machine_learning_models/feature_target.dat"
URL = f"https://raw.githubusercontent.com/{REPOSITORY}/{COMMIT}/{FILE}"
SHA256 = "b185d5e2eea42fe9a9966cad94ced73977436f4d75eae5d009ed84783c1238b4"


def fetch_published(folder: str | os.PathLike[str] | None = None) -> DiffusivityTable:
    """Download the published table of Li diffusivities, or read the copy that is there, and check its digest.

    The table has no licence and so does not ship with this package; it is fetched from the repository of its authors at
    the user's request.

    Args:
        folder: Where the file is kept; the cache of the operating system where None.

    Raises:
        DataError: pooch is not installed, the file cannot be had (offline), or it is another one.

    Reference:
        Zheng et al., npj Comput. Mater. 2024, 10, 295, doi 10.1038/s41524-024-01469-2.
    """
    pooch = _pooch()
    try:
        file = pooch.retrieve(
            URL,
            known_hash=f"sha256:{SHA256}",
            fname="feature_target.dat",
            path=pooch.os_cache("tammann") if folder is None else os.fspath(folder),
            progressbar=False,
        )
    except ValueError as error:
        raise DataError(f"{URL}: expected the file of SHA-256 {SHA256[:12]}..., got another one ({error}).") from None
    except OSError as error:  # requests raises kinds of these
        text = " ".join(str(error).split())
        reason = text if error.filename else text.partition(": ")[0]
        raise DataError(
            f"the published table cannot be downloaded ({type(error).__name__}: {reason}); go online, or fetch "
            f"{FILE} of github.com/{REPOSITORY} and give its path."
        ) from None
    return load_published(file)


def _pooch() -> Any:
    try:
        import pooch
    except ImportError:
        raise DataError(
            "downloading the published table needs pooch: pip install 'tammann[learn]'; or give the path of the file."
        ) from None
    pooch.get_logger().setLevel("WARNING")
    return pooch
