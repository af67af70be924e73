"""The template process: it imports once what every notebook needs, then forks a fresh process for each that asks.

It has one thread and never runs anything itself, so a child starts as a new interpreter would: own session, own working
directory, own environment, own random state. It speaks through a socket in a private directory; a connection stands for
a child: when the asker goes away, its child is killed, and when the owner does, all are.
"""

from __future__ import annotations

import atexit
import builtins
import contextlib
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import sys
import threading
import time
import traceback
from types import SimpleNamespace
from typing import NoReturn

from tokcost.report.execution.template import READY, THEN, Template, registered, start_of

#: longest wait for the rest of a request; whoever asks is on this machine
_PATIENCE_S = 30
_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Serve until the owner is gone; in a child, run what was asked for."""
    listener = socket.socket(fileno=int(sys.argv[1]))
    registered[start_of(dict(os.environ))] = Template(listener.getsockname())  # a child may ask too
    gc.disable()  # nothing of what is imported goes away again
    names = sys.argv[2:]
    first = names.index(THEN) if THEN in names else len(names)
    import_named(names[:first])
    with open(listener.getsockname() + READY, "wb"):
        pass
    child = _Server(listener, names[first + 1 :]).serve()
    if child is None:
        os._exit(0)  # whoever began this waits for its end
    gc.freeze()  # what was read when idle is shared too: a collector that goes through it copies it
    gc.enable()
    _run(child)


def _run(what: str) -> NoReturn:
    """Run a program and end as it ends, without the interpreter's last tidying up: it would copy all that is shared."""
    status: object = 0
    try:
        _called(what)
    except SystemExit as leaving:
        status = leaving.code or 0
        if not isinstance(status, int):
            print(status, file=sys.stderr)
            status = 1
    except BaseException:
        traceback.print_exc()
        status = 1
    finally:
        threading._shutdown()  # pyright: ignore[reportAttributeAccessIssue]
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        os._exit(status if isinstance(status, int) else 1)


def _called(name: str) -> None:
    """Import a module, or import it and call its function (module:function)."""
    module, _, function = name.partition(":")
    found = importlib.import_module(module)
    if function:
        getattr(found, function)()


def import_named(modules: list[str]) -> None:
    """Import ahead; what is missing or broken is met, and said, by the notebook that needs it."""
    # pandas looks for a kernel when it is imported, to decide how wide a table may be: tell it that there will be one.
    builtins.get_ipython = lambda: SimpleNamespace(kernel=True)  # pyright: ignore[reportAttributeAccessIssue]
    for name in modules:
        with contextlib.suppress(Exception):
            _called(name)
    del builtins.get_ipython  # pyright: ignore[reportAttributeAccessIssue]
    gc.freeze()


def _end_with_parent() -> None:
    """Have the system end this process when its template is gone, however that ended."""
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class _Server:
    def __init__(self, listener: socket.socket, when_idle: list[str]):
        self.listener, self.when_idle = listener, when_idle
        self.children: dict[int, socket.socket] = {}  # process -> who asked for it
        self.selector = selectors.DefaultSelector()
        self.woken, wake = socket.socketpair()
        for end in (self.woken, wake):
            end.setblocking(False)
        self.wake = wake
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(wake.fileno())
        for source in (0, listener, self.woken):  # the owner holds the other end of stdin
            self.selector.register(source, selectors.EVENT_READ)

    def serve(self) -> str | None:
        """What a child is to run; None, in the template process itself, when its owner is gone."""
        while True:
            asked = self.selector.select(0 if self.when_idle else None)
            if not asked:
                import_named([self.when_idle.pop(0)])
            for key, _ in asked:
                if key.fileobj == 0:
                    self._end_all()
                    return None
                if key.fileobj is self.woken:
                    self._tell_who_ended()
                elif key.fileobj is self.listener:
                    asker, _ = self.listener.accept()
                    if run := self._answer(asker):
                        return run
                else:
                    self._let_go(key.fileobj)

    def _answer(self, asker: socket.socket) -> str | None:
        asker.settimeout(_PATIENCE_S)
        try:
            request, descriptors = _received(asker)
        except (OSError, ValueError):
            asker.close()
            return None
        if os.path.isdir("/proc/self/task") and len(os.listdir("/proc/self/task")) > 1:
            with contextlib.suppress(OSError):
                asker.sendall(b'{"refused": "a library runs a thread, and a process with threads cannot be copied safely"}\n')
            asker.close()
            return None
        pid = os.fork()
        if pid:
            for descriptor in descriptors:
                os.close(descriptor)
            self.children[pid] = asker
            self.selector.register(asker, selectors.EVENT_READ)
            with contextlib.suppress(OSError):  # gone already: that is met like any other going
                asker.sendall(json.dumps({"pid": pid}).encode() + b"\n")
            return None
        try:
            self._become(asker, request, descriptors)
        except BaseException as error:  # a child must never go on as a second template
            os.write(2, f"{error}\n".encode())
            os._exit(1)
        return request["run"]

    def _become(self, asker, request, descriptors) -> None:
        """In the child: nothing of the template's is left open, and everything is as the request says."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self.selector.close()
        for end in (asker, self.listener, self.woken, self.wake, *self.children.values()):
            end.close()
        os.setsid()
        _end_with_parent()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number, descriptor in enumerate(descriptors, 1):
            os.dup2(descriptor, number)
            os.close(descriptor)
        for number, name in enumerate(("stdin", "stdout", "stderr")):  # the old ones remember what a log file can do
            old = getattr(sys, name)
            new = open(number, "w" if number else "r", encoding=old.encoding, errors=old.errors, closefd=False)  # noqa: SIM115
            if number == 2 or new.isatty():
                new.reconfigure(line_buffering=True)
            for place in (name, f"__{name}__"):
                setattr(sys, place, new)
        os.environ.clear()
        os.environ.update(request["environment"], JPY_PARENT_PID=str(os.getppid()))
        time.tzset()
        os.chdir(request["directory"])
        sys.argv = request["arguments"]
        if "numpy" in sys.modules:  # Python's own `random` sees to itself
            sys.modules["numpy"].random.seed()

    def _tell_who_ended(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self.woken.recv(4096)
        while self.children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            asker = self.children.pop(pid)
            with contextlib.suppress(KeyError):  # let go before
                self.selector.unregister(asker)
            with contextlib.suppress(OSError):  # gone meanwhile
                asker.sendall(json.dumps({"status": os.waitstatus_to_exitcode(status)}).encode() + b"\n")
            asker.close()

    def _let_go(self, asker) -> None:
        """Whoever asked is gone: so is what it asked for. Its end is told to nobody."""
        pids = [pid for pid, one in self.children.items() if one is asker]
        if pids:  # else it has just ended by itself
            self.selector.unregister(asker)
        for pid in pids:
            _kill(pid)

    def _end_all(self) -> None:
        for pid in self.children:
            _kill(pid)


def _kill(pid: int) -> None:
    """End a child and what it has started; one that was forked a moment ago does not lead a group yet."""
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError):
            return kill(pid, signal.SIGKILL)


def _received(asker: socket.socket) -> tuple[dict, list[int]]:
    """A request: its length in eight digits with the two streams of the child, then JSON."""
    head, descriptors, _, _ = socket.recv_fds(asker, 8, 2)
    rest = int(head)
    parts = []
    while rest > 0 and (part := asker.recv(rest)):
        parts.append(part)
        rest -= len(part)
    return json.loads(b"".join(parts)), list(descriptors)
