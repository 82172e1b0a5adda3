"""handkit: hand keypoints from photographs."""

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+)"', (ROOT / "handkit/__init__.py").read_text("utf-8"))[1]
#: Folders beside the package that are installed inside it, so that a pip user has them.
INSIDE = {"handkit.configs": "configs", "handkit.demo": "demo"}

setup(
    name="handkit",
    version=VERSION,
    description="Hand keypoints from photographs: find, locate, train, swap any part by a config line",
    long_description=(ROOT / "README.md").read_text("utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=[*find_packages(include=["handkit", "handkit.*"]), *INSIDE],
    package_dir=INSIDE,
    py_modules=["_handkit_modelscope"],
    package_data={
        "handkit": ["py.typed", "bundles/*/*", "bundles/*/*/*"],
        "handkit.apps": ["web.html"],
        "handkit.datasets.checking": ["*.npy"],
        "handkit.gestures": ["*.safetensors"],
        "handkit.hub": ["cards/*.json"],
        "handkit.configs": ["**/*.py"],
        "handkit.demo": ["hand.png"],
    },
    install_requires=[
        "torch>=2.6",
        "numpy",
        "mmengine-lite>=0.10.7,<1",
        "opencv-python-headless",
        "pillow",
        "pyyaml",
        "scipy",
        "safetensors",
        "rich",
        "typer",
        "matplotlib",
        "faster-coco-eval>=1.8,<2",
    ],
    extras_require={
        "mediapipe": ["ai-edge-litert>=2.0"],
        "modelscope": ["modelscope[framework]>=1.40,<2"],
        "openmmlab": ["json_tricks", "munkres", "pycocotools", "shapely", "six", "terminaltables", "tqdm"],
        "plot": ["plotly>=6"],
        "serve": ["fastapi>=0.115", "python-multipart>=0.0.18", "uvicorn>=0.30"],
        "synth": ["embreex>=4; platform_machine != 'aarch64'"],
        "train": ["tensorboard"],
        "dev": [
            "build",
            "hypothesis",
            "import-linter",
            "mypy",
            "pytest",
            "pytest-xdist",
            "ruff",
        ],
    },
    entry_points={"console_scripts": ["handkit = handkit.apps.cli:main"]},
)
