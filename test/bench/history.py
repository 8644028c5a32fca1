"""A git history for fast-import on standard output: COMMITS commits, each with a changed text and some new files."""
import random, sys

out, commits = sys.stdout.buffer, int(sys.argv[1])
random.seed(7)
words = [bytes(random.choices(b"abcdefghijklmnopqrstuvwxyz", k=random.randint(3, 10))) for _ in range(5000)]
lines = [b" ".join(random.choices(words, k=10)) for _ in range(2000)]
for number in range(commits):
    out.write(b"commit refs/heads/main\ncommitter a <a@b> %d +0000\ndata 1\nx\n" % (1_000_000_000 + number))
    lines[random.randrange(len(lines))] = b" ".join(random.choices(words, k=10))
    text = b"\n".join(lines)
    out.write(b"M 644 inline text\ndata %d\n" % len(text) + text + b"\n")
    for i in range(5):
        content = b"\n".join(b" ".join(random.choices(words, k=8)) for _ in range(40))
        out.write(b"M 644 inline src/%d/%d\ndata %d\n" % (number, i, len(content)) + content + b"\n")
