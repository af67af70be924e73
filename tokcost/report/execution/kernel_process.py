"""The process of a kernel: IPython's own, with room for the outputs of a cell that prints faster than they are taken up."""

#: outputs that may wait at either end (a thousand by default); of more, some are lost, and with them the end of the cell
MOST_MESSAGES_WAITING = 100_000

#: names the megabytes that the kernel may take beyond what its imports have taken
MEMORY_VARIABLE = "TOKCOST_KERNEL_MEMORY_MB"

#: how it is started by a command of its own: a file beside the notebook is the notebook's to import, but must not stand in for what
#: the kernel itself is made of
START = "import sys; del sys.path[0]; from tokcost.report.execution.kernel_process import main; main()"


def main() -> None:
    import os

    import zmq
    from ipykernel.kernelapp import IPKernelApp

    class App(IPKernelApp):
        def init_iopub(self, context):
            context.setsockopt(zmq.SNDHWM, MOST_MESSAGES_WAITING)
            super().init_iopub(context)

    if limit := os.environ.pop(MEMORY_VARIABLE, ""):
        _limit_memory(int(limit) * 1_000_000)
    # Given, for ipykernel reads it once, when it is imported.
    App.launch_instance(parent_handle=int(os.environ.get("JPY_PARENT_PID") or 0))


def _limit_memory(more_bytes: int) -> None:
    """Let this process take so much more than it has now; what goes beyond that is a MemoryError of the cell that asks for it."""
    import resource

    try:
        with open("/proc/self/statm") as sizes:
            taken = int(sizes.read().split()[5]) * resource.getpagesize()
    except OSError:  # not Linux: counted from nothing
        taken = 0
    resource.setrlimit(resource.RLIMIT_DATA, (taken + more_bytes, taken + more_bytes))


if __name__ == "__main__":
    main()
