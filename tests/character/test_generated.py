"""The committed interface code is what the script makes of the .proto, and the worker starts without it."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from eco2_character_api import SERVICE_NAME, v1
from eco2_character_api.v1 import character_pb2 as pb

ROOT = Path(__file__).parents[2]
FOLDER = Path(v1.__file__).parent


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("proto")
    subprocess.run([ROOT / "scripts/make-proto.sh", out], check=True)
    return out / "eco2_character_api/v1"


@pytest.mark.parametrize("name", ["character_pb2.py", "character_pb2.pyi", "character_pb2_grpc.py"])
def test_the_committed_code_is_what_the_script_makes(made: Path, name: str) -> None:
    assert (FOLDER / name).read_text() == (made / name).read_text()


def test_the_script_makes_nothing_else(made: Path) -> None:
    assert {path.name for path in made.iterdir()} == {
        "character_pb2.py",
        "character_pb2.pyi",
        "character_pb2_grpc.py",
    }


@pytest.mark.parametrize("suffix", ["Stub", "Servicer"])
def test_the_handwritten_types_name_every_call(suffix: str) -> None:
    service = pb.DESCRIPTOR.services_by_name["CharacterService"]
    tree = ast.parse((FOLDER / "character_pb2_grpc.pyi").read_text())
    (declared,) = [
        node for node in tree.body if isinstance(node, ast.ClassDef) and node.name.endswith(suffix)
    ]
    names = {node.target.id for node in declared.body if isinstance(node, ast.AnnAssign)}
    names |= {node.name for node in declared.body if isinstance(node, ast.AsyncFunctionDef)}

    assert service.full_name == SERVICE_NAME
    assert names == {method.name for method in service.methods}


def test_the_port_does_not_import_grpc() -> None:
    script = "import sys, chat_worker.ports.characters, eco2_telemetry.setup; sys.exit('grpc' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", script]).returncode == 0
