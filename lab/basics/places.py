"""Where things are: the folder of the course, and this machine's own address."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOOPBACK = "127.0.0.1"
