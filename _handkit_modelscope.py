"""Lets ModelScope find handkit without an import by the user.

`handkit modelscope enable` has Python import this when it starts. It imports the standard library only and does nothing
until ModelScope is imported. Five of ModelScope's modules are then completed as they load:

- `modelscope.utils.import_utils`: the index of who answers what also names handkit's modules. ModelScope imports them
  when somebody builds that pipeline or trainer.
- `modelscope.utils.hub`: `read_config` leaves the plug-in ``pai-easycv`` out of a configuration whose pipeline handkit
  answers; ModelScope would else install that package by pip.
- `modelscope.pipelines.builder`: `pipeline` is given an existing folder by its absolute path, as ModelScope would ask
  its server about a relative one; a folder without configuration.json is refused with a word on why.
- `modelscope.trainers.builder`: `build_trainer` likewise.
- `modelscope.metainfo`: `Trainers.easycv`, which ModelScope dropped and its model cards still use.

What ModelScope has of its own is never replaced, and a failure here leaves ModelScope as it is.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

#: (registry, group, name) in ModelScope's index -> the module that registers it there.
ANSWERS = {
    ("PIPELINES", "hand-2d-keypoints", "hrnetv2w18_hand-2d-keypoints_image"): "handkit.interop.modelscope.pipeline",
    ("TRAINERS", "default", "handkit"): "handkit.interop.modelscope.trainer",
    ("TRAINERS", "default", "easycv"): "handkit.interop.modelscope.trainer",
}
#: The package that once answered these pipelines; it does not install any more.
_FORMER = "pai-easycv"
_installed = False


def add_answers(index: Any) -> Any:
    """Names handkit's modules in ModelScope's index, where it has none of its own for them."""
    for signature, module in ANSWERS.items():
        index["index"].setdefault(signature, {"filepath": "", "imports": [], "module": module})
    return index


def without_former_plugin(config: Any) -> Any:
    """Drops the former plug-in from the configuration of a pipeline that handkit answers."""
    if config is None or config.safe_get("pipeline.type") not in {name for _, _, name in ANSWERS}:
        return config
    plugins = config.safe_get("plugins") or []
    kept = [name for name in ([plugins] if isinstance(plugins, str) else plugins) if not name.startswith(_FORMER)]
    if len(kept) < len(plugins):
        config["plugins"] = kept or None
    return config


def with_folder(pipeline: Callable[..., Any]) -> Callable[..., Any]:
    """ModelScope's `pipeline`, with the folders of models that handkit answers checked and made absolute."""
    import functools  # not at the top: most processes never import ModelScope

    @functools.wraps(pipeline)
    def checked(task: Any = None, model: Any = None, *args: Any, **kwargs: Any) -> Any:
        if task in {group for _, group, _ in ANSWERS}:
            model = _folder(model)
        return pipeline(task, model, *args, **kwargs)

    return checked


def with_trained_folder(build_trainer: Callable[..., Any]) -> Callable[..., Any]:
    """ModelScope's `build_trainer`, likewise for handkit's trainers."""
    import functools  # as above

    @functools.wraps(build_trainer)
    def checked(name: Any = "trainer", default_args: Any = None) -> Any:
        if name in {name for _, group, name in ANSWERS if group == "default"} and default_args:
            default_args = {**default_args, "model": _folder(default_args.get("model"))}
        return build_trainer(name, default_args)

    return checked


def _folder(model: Any) -> Any:
    """The absolute path of an existing folder, which must be that of a model; whatever else is given as it is."""
    if not isinstance(model, (str, os.PathLike)) or not os.path.isdir(model):
        return model
    model = os.path.abspath(model)
    if not os.path.exists(os.path.join(model, "configuration.json")):
        raise FileNotFoundError(f"{model}: not the folder of a model: it holds no configuration.json")
    return model


def _complete_index(module: ModuleType) -> None:
    module.load_index = _then(module.load_index, add_answers)  # type: ignore[attr-defined]
    if module.LazyImportModule._AST_INDEX is not None:
        add_answers(module.LazyImportModule._AST_INDEX)


def _complete_hub(module: ModuleType) -> None:
    _replace("read_config", module.read_config, _then(module.read_config, without_former_plugin))


def _complete_builder(module: ModuleType) -> None:
    _replace("pipeline", module.pipeline, with_folder(module.pipeline))


def _complete_trainers(module: ModuleType) -> None:
    _replace("build_trainer", module.build_trainer, with_trained_folder(module.build_trainer))


def _replace(name: str, old: Any, new: Any) -> None:
    """Puts a function in another's place in all of ModelScope's modules that are loaded."""
    for module_name, module in list(sys.modules.items()):
        if module_name.startswith("modelscope.") and vars(module).get(name) is old:
            setattr(module, name, new)


def _complete_names(module: ModuleType) -> None:
    if not hasattr(module.Trainers, "easycv"):
        module.Trainers.easycv = "easycv"


_COMPLETE: dict[str, Callable[[ModuleType], None]] = {
    "modelscope.utils.import_utils": _complete_index,
    "modelscope.utils.hub": _complete_hub,
    "modelscope.pipelines.builder": _complete_builder,
    "modelscope.trainers.builder": _complete_trainers,
    "modelscope.metainfo": _complete_names,
}


def _then(function: Callable[..., Any], change: Callable[[Any], Any]) -> Callable[..., Any]:
    """The function, with its result changed in place unless that fails."""
    import functools

    @functools.wraps(function)
    def changed(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        _try(change, result)
        return result

    return changed


def _try(do: Callable[[Any], Any], argument: Any) -> None:
    try:
        do(argument)
    except Exception as error:  # a later ModelScope may look otherwise; it has to run as it would without handkit
        print(f"handkit cannot extend this ModelScope, which goes on without it: {error!r}", file=sys.stderr)


class _Finder:
    """Finds the modules of `_COMPLETE` as Python would, and completes each once it has run."""

    def __init__(self) -> None:
        self.pending = {name for name in _COMPLETE if name not in sys.modules}

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name not in self.pending:
            return None
        self.pending.remove(name)
        for finder in list(sys.meta_path):
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                _try(_completing, spec)
                return spec
        return None


def _completing(spec: ModuleSpec) -> None:
    """Has the spec's module completed at the end of its execution."""
    loader: Any = spec.loader
    execute = loader.exec_module

    def execute_and_complete(module: ModuleType) -> None:
        execute(module)
        _try(_COMPLETE[spec.name], module)

    loader.exec_module = execute_and_complete


def install() -> None:
    """Completes ModelScope's modules: those that are loaded at once, the others when they are. Once per process."""
    global _installed
    if _installed:
        return
    _installed = True
    for name, complete in _COMPLETE.items():
        if name in sys.modules:
            _try(complete, sys.modules[name])
    sys.meta_path.insert(0, _Finder())
