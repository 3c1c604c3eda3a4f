"""The server's process, with a memory limit."""

import os
import resource
import signal
import subprocess
import tempfile
import time

# As in the image (docker/Dockerfile): larger blocks return to the system when they are freed. Otherwise glibc's
# allocator raises this threshold by itself.
ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": "1048576"}
# Each arena takes 64 MiB of the address space, used or not. By default there are eight for each core.
ARENAS = {"MALLOC_ARENA_MAX": "2"}
CGROUP_1 = "/sys/fs/cgroup/memory"
CGROUP_2 = "/sys/fs/cgroup"
START_LIMIT_S = 20


class NoCgroup(Exception):
    """A memory cgroup cannot be created here."""


class Cgroup:
    """A memory cgroup with a limit, without swap."""

    def __init__(self, limit_bytes):
        self.is_v2 = os.path.exists(f"{CGROUP_2}/cgroup.controllers")
        parent = CGROUP_2 if self.is_v2 else CGROUP_1
        self._path = f"{parent}/stuntdouble-limits-{os.getpid()}"
        try:
            os.mkdir(self._path)
            if self.is_v2:
                self._write("memory.max", limit_bytes)
                self._write("memory.swap.max", 0)
            else:
                self._write("memory.limit_in_bytes", limit_bytes)
                self._write("memory.swappiness", 0)
        except OSError as error:
            self.remove()
            raise NoCgroup(f"{self._path}: {error}") from error

    def enter(self):
        """Moves the calling process into the cgroup."""
        self._write("cgroup.procs", os.getpid())

    def kills(self):
        """Returns how often the kernel killed a process of the cgroup."""
        file = "memory.events" if self.is_v2 else "memory.oom_control"
        with open(f"{self._path}/{file}", encoding="utf-8") as lines:
            counts = dict(line.split() for line in lines)
        return int(counts.get("oom_kill", 0))

    def remove(self):
        """Removes the cgroup, once its processes are gone."""
        for _ in range(100):
            try:
                os.rmdir(self._path)
                return
            except FileNotFoundError:
                return
            except OSError:
                time.sleep(0.05)

    def _write(self, file, value):
        with open(f"{self._path}/{file}", "w", encoding="utf-8") as out:
            out.write(str(value))


class Server:
    """A server with its own data directory and a limit: that of a cgroup, or of the address space."""

    def __init__(self, binary, limit_bytes, method):
        self._directory = tempfile.TemporaryDirectory(prefix="stuntdouble-limits-")
        self._cgroup = Cgroup(limit_bytes) if method == "cgroup" else None
        self._log = open(f"{self._directory.name}/log", "w+b")
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("STUNTDOUBLE_")
        }

        def limit():
            if self._cgroup:
                self._cgroup.enter()
            elif method == "ulimit":
                resource.setrlimit(resource.RLIMIT_AS, (limit_bytes, limit_bytes))

        self._process = subprocess.Popen(
            [
                os.path.abspath(binary),
                *("--port", "0", "--processing-ms", "0", "--detect-done-ms", "0"),
                *("--heatmap-delay-ms", "0", "--analysis-delay-ms", "0", "--log", "info"),
                *("--data-dir", f"{self._directory.name}/data"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            env=environment | ALLOCATOR | (ARENAS if method == "ulimit" else {}),
            preexec_fn=limit,
        )
        try:
            self.origin = self._await_origin()
        except Exception:
            self.stop()
            raise

    def log(self):
        with open(self._log.name, encoding="utf-8", errors="replace") as log:
            return log.read()

    def peak_bytes(self):
        """Returns the peak of resident memory since `forget_peak`."""
        return self._status("VmHWM")

    def resident_bytes(self):
        """Returns the resident memory."""
        return self._status("VmRSS")

    def forget_peak(self):
        """Resets the peak."""
        with open(f"/proc/{self._process.pid}/clear_refs", "w", encoding="utf-8") as out:
            out.write("5")

    def end(self):
        """Returns how the server ended. `None` if it runs."""
        code = self._process.poll()
        if code is None and not (self._cgroup and self._cgroup.kills()):
            return None
        killed = ", killed by the kernel for its memory" if self._cgroup and self._cgroup.kills() else ""
        return f"exit code {code}{killed}:\n{self.log()[-2000:]}"

    def stop(self):
        """Stops the server, and removes its directory and cgroup."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._cgroup:
            self._cgroup.remove()
        self._log.close()
        self._directory.cleanup()

    def _await_origin(self):
        limit = time.monotonic() + START_LIMIT_S
        while time.monotonic() < limit:
            for line in self.log().splitlines():
                if "listening on http" in line:
                    return line.split("listening on ")[1].split(",")[0].strip()
            if self._process.poll() is not None:
                break
            time.sleep(0.02)
        raise RuntimeError(f"the server did not start: exit code {self._process.poll()}\n{self.log()[-2000:]}")

    def _status(self, field):
        with open(f"/proc/{self._process.pid}/status", encoding="utf-8") as lines:
            for line in lines:
                if line.startswith(f"{field}:"):
                    return int(line.split()[1]) * 1024
        return 0
