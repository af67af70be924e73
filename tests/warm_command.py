"""`tokcost ...` without the wait for its imports: a fresh process, forked from the template process named by WARM_TEMPLATE.

Run as a program of its own (the fixture `warm_tokcost` makes it one): streams, folder, environment, signals and exit status
are those of whoever calls it. WARM_PID_FILE names a file for the number of the process that does the work.
"""

import json
import os
import signal
import socket
import sys

connection = socket.socket(socket.AF_UNIX)
connection.connect(os.environ["WARM_TEMPLATE"])
request = {"run": "tokcost.cli:main", "arguments": ["tokcost", *sys.argv[1:]], "environment": dict(os.environ), "directory": os.getcwd()}
text = json.dumps(request).encode()
socket.send_fds(connection, [b"%08d" % len(text)], [1, 2])
connection.sendall(text)
lines = connection.makefile()
child = json.loads(lines.readline())["pid"]
if "WARM_PID_FILE" in os.environ:
    with open(os.environ["WARM_PID_FILE"], "w") as file:
        file.write(str(child))
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, lambda number, frame: os.kill(child, number))
status = json.loads(lines.readline())["status"]
if status < 0:
    signal.signal(-status, signal.SIG_DFL)
    os.kill(os.getpid(), -status)
sys.exit(status)
