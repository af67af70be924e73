"""The process of a kernel: IPython's own, with room for the outputs of a cell that prints faster than they are taken up."""

#: outputs that may wait at either end (a thousand by default); of more, some are lost, and with them the end of the cell
MOST_MESSAGES_WAITING = 100_000


def main() -> None:
    import os

    import zmq
    from ipykernel.kernelapp import IPKernelApp

    class App(IPKernelApp):
        name = "tokcost-kernel"

        def init_iopub(self, context):
            context.setsockopt(zmq.SNDHWM, MOST_MESSAGES_WAITING)
            super().init_iopub(context)

    # Given, for ipykernel reads it once, when it is imported.
    App.launch_instance(parent_handle=int(os.environ.get("JPY_PARENT_PID") or 0))
