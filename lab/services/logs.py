"""The end of a log, for an error message, and what helps where it tells of something known."""

TAIL_LINES = 15
NO_SPACE = "No space left on device"
# What a log says of a machine that has run out of something, and what to do.
ADVICE = {
    NO_SPACE: "There is no room left in the temporary folder or in /dev/shm: remove files there.",
    "Too many open files": "A process may open too few files here: allow more with ulimit -n 4096.",
    "command not allowed when used memory": "That Redis is full, and takes no more writes: make room there.",
    "max number of clients": "That Redis has as many clients as it takes: close some.",
    "Cannot allocate memory": "There is too little memory: close other programs.",
}


def tail_of(name: str, log: str) -> str:
    """The log's last lines, for an error message, and what helps where they tell of something known."""
    lines = log.rstrip().splitlines()[-TAIL_LINES:]
    if not lines:
        return f"{name} logged nothing."
    advice = [f"{helps} " for words, helps in ADVICE.items() if words in log]
    return "".join(advice) + f"The log of {name} ends:\n" + "\n".join(lines)
