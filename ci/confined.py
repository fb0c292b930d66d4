#!/usr/bin/python3
"""Becomes a program as a systemd unit would have it: without root, with the unit's system calls alone, and without memory that is
both written and run (MemoryDenyWriteExecute). At anything else it is killed, where the unit lets the call fail.

Usage: ci/confined.py UNIT PROGRAM [ARGUMENT…]
"""

import os
import re
import subprocess
import sys

import seccomp

USER = 10001  # The container image's; any that owns nothing here will do.
WRITE, EXECUTE = 2, 4


def members(name):
    """The system calls of one of systemd's sets, with those of the sets in it."""
    shown = subprocess.run(["systemd-analyze", "syscall-filter", name], check=True, capture_output=True, text=True).stdout
    for line in shown.splitlines()[1:]:
        word = line.strip()
        if word.startswith("@"):
            yield from members(word)
        elif word and not word.startswith("#"):
            yield word


def allowed(unit):
    """What its SystemCallFilter lines leave, in their order."""
    calls = set()
    for without, names in re.findall(r"^SystemCallFilter=(~?)(.*)$", unit, re.M):
        for name in names.split():
            found = set(members(name)) if name.startswith("@") else {name}
            calls = calls - found if without else calls | found
    return calls


def confine(unit):
    rules = seccomp.SyscallFilter(defaction=seccomp.KILL_PROCESS)
    exact = {"mmap", "mprotect", "pkey_mprotect"} if "\nMemoryDenyWriteExecute=yes\n" in unit else set()
    for name in allowed(unit) - exact:
        try:
            rules.add_rule(seccomp.ALLOW, name)
        except RuntimeError:
            pass  # Not of this machine's architecture.
    if exact:
        for protection in (0, WRITE, EXECUTE):
            rules.add_rule(seccomp.ALLOW, "mmap", seccomp.Arg(2, seccomp.MASKED_EQ, WRITE | EXECUTE, protection))
        for name in ("mprotect", "pkey_mprotect"):
            rules.add_rule(seccomp.ALLOW, name, seccomp.Arg(2, seccomp.MASKED_EQ, EXECUTE, 0))
    rules.load()


with open(sys.argv[1]) as file:
    unit = file.read()
if os.geteuid() == 0:
    os.setgroups([])
    os.setresgid(USER, USER, USER)
    os.setresuid(USER, USER, USER)
os.umask(0o077)
confine(unit)
os.execv(sys.argv[2], sys.argv[2:])
