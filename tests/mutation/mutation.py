#!/usr/bin/env python3
"""Makes small mistakes (mutants.py) in a copy of the tree, one at a time, and sees whether the tests notice.

    mutation.py [--number N] [--only src/log[/file.c]] [--seed S] [--seconds S] [--changed COMMITS] [--folder FOLDER]

For each mutant its file is compiled, the tests of its room run (tests/ROOM), the shortest first, and then short tests
of the whole server; the first red one ends it. What came of it:

    caught       by the named test, or by the time limit of that
    equivalent   the compiler makes the same object of it, or reviewed.txt says why nobody could tell
    unbuilt      it does not compile
    survived     nobody noticed; "reviewed" when reviewed.txt has a reason

FOLDER (mutation-run) has the copy of the tree with its build, results.csv, to which each result is added at once, and
results.md. A mutant whose result is there is not run again: a campaign that was interrupted goes on, and the same seed
draws the same mutants. Remove results.csv to begin anew. Ends with an error only when it cannot do its work.
"""
import argparse
import csv
import os
import random
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time

import mutants

# Of the whole server, short ones first.
SYSTEM_TESTS = ('check_system_one_key', 'check_system_merge', 'check_system_basic')
PROGRAMS = ('rackkvd', 'rackkv', 'rackkvctl')
# What else watches a room, besides the tests in its own folder.
ALSO = {'shm': ('check_ring', 'check_master_workers'), 'space': ('check_merge',), 'disk': ('check_log_writer',)}
FLAGS = 'CFLAGS=-O1 -w -Wno-error'  # a mutant may well cause a warning
TEST_SECONDS = 60
COLUMNS = ('file', 'line', 'function', 'kind', 'before', 'after', 'number', 'outcome', 'by', 'seconds')
OUTCOMES = ('caught', 'survived', 'reviewed', 'equivalent', 'unbuilt')
SKIPPED = {'.git', 'autom4te.cache', 'mutation-run'}


def say(text):
    print(text, flush=True)


def run(command, cwd, seconds=None, env=None):
    """The exit code and the output of a command in a session of its own, which is killed when time is up (None)."""
    process = subprocess.Popen(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, start_new_session=True)
    try:
        output, _ = process.communicate(timeout=seconds)
        code = process.returncode
    except subprocess.TimeoutExpired:
        code, output = None, b''
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)  # and what it left behind
        except ProcessLookupError:
            pass
        process.wait()
    return code, output.decode('utf-8', 'replace')


def read_reviewed(path):
    """{key: (word, reason)}: each entry is a key, then an indented line "equivalent: why" or "unwatched: why"."""
    reviewed, key = {}, None
    if not os.path.exists(path):
        return reviewed
    with open(path, encoding='utf-8') as file:
        for number, line in enumerate(file, 1):
            if not line.strip() or line.startswith('#'):
                continue
            if not line.startswith(' '):
                key = line.strip()
                continue
            word, _, reason = line.strip().partition(': ')
            if key is None or word not in ('equivalent', 'unwatched') or not reason:
                raise SystemExit(f'{path}:{number}: this should be "    equivalent: why" or "    unwatched: why", '
                                 'below the mutant that it is about')
            reviewed[key], key = (word, reason), None
    if key is not None:
        raise SystemExit(f'{path}: "{key}" has no reason')
    return reviewed


class Tree:
    """The copy that mistakes are made in, and its build."""

    def __init__(self, source, folder, build_name):
        self.source = source
        self.root = os.path.join(folder, 'tree')
        self.build = os.path.join(self.root, build_name)

    def update(self):
        """Brings the copy up to date. Times are kept, so that only what has changed is built again."""
        for parent, folders, files in os.walk(self.source):
            at = os.path.relpath(parent, self.source)
            folders[:] = [name for name in folders if name not in SKIPPED and not (
                at == '.' and (name.startswith('build-') and name != 'build-aux'))]
            if at == '.' and os.path.exists(self.build):
                folders[:] = [name for name in folders if name != os.path.basename(self.build)]
            os.makedirs(os.path.join(self.root, at), exist_ok=True)
            for name in files:
                self.copy(os.path.join(parent, name), os.path.join(self.root, at, name))

    @staticmethod
    def copy(origin, copy):
        if not os.path.isfile(origin):
            return
        status = os.stat(origin)
        if not os.path.exists(copy) or os.stat(copy).st_mtime_ns != status.st_mtime_ns or \
                os.stat(copy).st_size != status.st_size:
            shutil.copy2(origin, copy)

    def make(self, targets, *options):
        code, output = run(['make', '-s', f'-j{os.cpu_count()}', FLAGS, *options, *targets], self.build)
        return code == 0, output

    def configure(self):
        if os.path.exists(os.path.join(self.build, 'Makefile')):
            return
        os.makedirs(self.build, exist_ok=True)
        if not os.path.exists(os.path.join(self.root, 'configure')):
            run(['autoreconf', '-fi'], self.root)
        code, output = run(['../configure', '-q'], self.build)
        if code != 0:
            raise SystemExit('mutation: configure failed:\n' + output)

    def object_of(self, path):
        """The name that the Makefile has for the object of a source, or None: it is in no program."""
        folder, name = os.path.split(path[:-2])
        with open(os.path.join(self.build, 'Makefile'), encoding='utf-8') as file:
            found = re.search(rf'^({folder}/(?:\w+-)?{name})\.\$\(OBJEXT\):', file.read(), re.MULTILINE)
        return found.group(1) + '.o' if found else None

    def flags_of(self, path, name):
        """What the compiler is told to find headers and definitions."""
        source = os.path.relpath(self.root, self.build) + '/' + path
        _, output = run(['make', '-n', 'V=1', '-W', source, name], self.build)
        for line in output.replace('\\\n', ' ').splitlines():
            words = shlex.split(line) if path in line and ' -c ' in line else []
            flags = [word for word in words if re.match(r'-[IDU]|-std=', word)]
            if flags:
                return source, flags
        raise SystemExit(f'mutation: make does not say how {path} is compiled:\n{output[-2000:]}')

    def find(self, path):
        name = self.object_of(path)
        if name is None:
            return []
        source, flags = self.flags_of(path, name)
        return mutants.find(source, path, flags, self.build)

    def tests_of(self, room):
        """The programs of a room's tests, and the scripts are left out: they are about other things than its code."""
        names = list(ALSO.get(room, ()))
        path = os.path.join(self.root, 'tests', room, 'local.mk')
        if os.path.exists(path):
            with open(path, encoding='utf-8') as file:
                names += re.findall(r'^check_PROGRAMS \+= (check_\w+)', file.read(), re.MULTILINE)
        return names


class Campaign:
    def __init__(self, tree, folder, reviewed, deadline=float('inf')):
        self.tree = tree
        self.deadline = deadline  # for the last test to begin
        self.folder = folder
        self.reviewed = reviewed
        self.took = {}  # seconds of each test that is green without a mistake
        self.results = {}
        self.table = os.path.join(folder, 'results.csv')
        if os.path.exists(self.table):
            with open(self.table, newline='', encoding='utf-8') as file:
                for row in csv.DictReader(file):
                    self.results[self.key_of(row)] = row

    @staticmethod
    def key_of(row):
        return mutants.Mutant(row['file'], 0, row['function'], row['kind'], 0, 0, b'', row['before'], row['after'],
                              int(row['number'])).key()

    def run_test(self, name):
        env = dict(os.environ, srcdir=os.path.relpath(self.tree.root, self.tree.build),
                   CK_DEFAULT_TIMEOUT=str(TEST_SECONDS))
        if os.access('/dev/shm', os.W_OK):
            env.setdefault('TMPDIR', '/dev/shm')  # no test waits for a disk
        begun = time.monotonic()
        limit = max(10, 5 * self.took.get(name, TEST_SECONDS))
        code, output = run(['./' + name], self.tree.build, limit, env)
        return code, output, time.monotonic() - begun

    def green_tests(self, names):
        """Those of the tests that are green without a mistake, the shortest first. Each is tried once."""
        new = [name for name in names if name not in self.took]
        if new:
            made, output = self.tree.make([*PROGRAMS, *new])
            if not made:
                raise SystemExit('mutation: the tree cannot be built without a mistake:\n' + output[-3000:])
        for name in new:
            code, output, self.took[name] = self.run_test(name)
            if code != 0:
                say(f'mutation: {name} is red without any mistake, and not asked: {output[-300:]}')
                self.took[name] = None
        return sorted((name for name in names if self.took[name] is not None), key=lambda name: self.took[name])

    def judge(self, mutant):
        """(outcome, by)"""
        room = mutant.path.split('/')[1]
        if self.reviewed.get(mutant.key(), ('', ''))[0] == 'equivalent':
            return 'equivalent', 'reviewed'
        self.green_tests([*self.tree.tests_of(room), *SYSTEM_TESTS])  # tried before there is a mistake
        path, name = os.path.join(self.tree.root, mutant.path), self.tree.object_of(mutant.path)
        self.tree.make([name])
        with open(path, 'rb') as file:
            source = file.read()
        with open(os.path.join(self.tree.build, name), 'rb') as file:
            ordinary = file.read()
        try:
            with open(path, 'wb') as file:
                file.write(mutant.apply(source))
            made, _ = self.tree.make([name])
            if not made:
                return 'unbuilt', ''
            with open(os.path.join(self.tree.build, name), 'rb') as file:
                if file.read() == ordinary:
                    return 'equivalent', 'compiler'
            return self.ask(room)
        finally:
            with open(path, 'wb') as file:
                file.write(source)

    def ask(self, room):
        for tests, programs in ((self.tree.tests_of(room), ()), (SYSTEM_TESTS, PROGRAMS)):
            stage = self.green_tests(tests)
            made, _ = self.tree.make([*programs, *stage])
            if not made:
                return 'unbuilt', ''
            for name in stage:
                if time.monotonic() >= self.deadline:
                    return 'unfinished', ''
                code, _, _ = self.run_test(name)
                if code != 0:
                    return 'caught', name if code is not None else f'{name} (time limit)'
        return 'survived', ''

    def add(self, mutant):
        begun = time.monotonic()
        outcome, by = self.judge(mutant)
        row = dict(file=mutant.path, line=mutant.line, function=mutant.function, kind=mutant.kind, before=mutant.before,
                   after=mutant.after, number=mutant.number, outcome=outcome, by=by,
                   seconds=f'{time.monotonic() - begun:.1f}')
        if outcome == 'unfinished':
            return row
        is_new = not os.path.exists(self.table)
        with open(self.table, 'a', newline='', encoding='utf-8') as file:
            writer = csv.DictWriter(file, COLUMNS)
            if is_new:
                writer.writeheader()
            writer.writerow(row)
        self.results[mutant.key()] = row
        return row

    def write_markdown(self):
        with open(os.path.join(self.folder, 'results.md'), 'w', encoding='utf-8') as file:
            file.write(markdown(self.results, self.reviewed))


def markdown(results, reviewed):
    rooms = {}
    lines = ['| room | caught | survived | of these reviewed | equivalent | unbuilt | caught of what could be |',
             '|---|---|---|---|---|---|---|']
    for key, row in results.items():
        room = rooms.setdefault(row['file'].split('/')[1], dict.fromkeys(OUTCOMES, 0))
        word = reviewed.get(key, ('', ''))[0]
        outcome = 'equivalent' if word == 'equivalent' else row['outcome']
        room[outcome] += 1
        room['reviewed'] += outcome == 'survived' and word != ''
    total = {name: sum(room[name] for room in rooms.values()) for name in OUTCOMES}
    for name, room in [*sorted(rooms.items()), ('all', total)]:
        n = room['caught'] + room['survived']
        share = f'{100 * room["caught"] / n:.0f} %' if n else '-'
        lines.append(f'| {name} | {room["caught"]} | {room["survived"]} | {room["reviewed"]} | {room["equivalent"]} | '
                     f'{room["unbuilt"]} | {share} |')
    lines += ['', '| file | line | function | what | outcome |', '|---|---|---|---|---|']
    for key, row in sorted(results.items(), key=lambda item: (item[1]['file'], int(item[1]['line']))):
        what = f'{row["kind"]}: `{row["before"]}` => `{row["after"]}`'.replace('|', '\\|')
        outcome = row['outcome'] + (f' by {row["by"]}' if row['by'] else '')
        if row['outcome'] == 'survived':
            outcome += '; {}: {}'.format(*reviewed[key]) if key in reviewed else ', **not reviewed**'
        lines.append(f'| {row["file"]} | {row["line"]} | {row["function"]} | {what} | {outcome} |')
    return '\n'.join(lines) + '\n'


def changed_lines(source, n_commits):
    """{path: lines} of src/ that have changed since the last release tag, or in the last n_commits commits."""
    def git(*arguments):
        code, output = run(['git', '-C', source, *arguments], source)
        return output.strip() if code == 0 else None
    tag = git('describe', '--tags', '--abbrev=0')
    commits = (git('rev-list', '--first-parent', f'--max-count={n_commits + 1}', 'HEAD') or '').split()
    since = tag or (commits[-1] if commits else None)
    difference = git('diff', '-U0', since, 'HEAD', '--', 'src') if since else None
    if difference is None:
        raise SystemExit(f'mutation: {source} is no git repository with commits: which lines have changed is not known')
    changed, path = {}, None
    for line in difference.splitlines():
        if line.startswith('+++ '):
            path = line[6:]
        found = re.match(r'@@ -\S+ \+(\d+)(?:,(\d+))? @@', line)
        if found:
            first, n = int(found.group(1)), int(found.group(2) or 1)
            changed.setdefault(path, set()).update(range(first, first + n))
    return changed


def draw(paths, find, seed):
    """Mutants in an order of their own for each seed: a room after the other, a file of it after the other, and a kind
    after the other of each file, so that a few are spread well. Files are looked into as they are needed."""
    chance = random.Random(seed)
    rooms = {}
    for path in sorted(paths):
        rooms.setdefault(os.path.dirname(path), []).append(path)
    order = sorted(rooms)
    chance.shuffle(order)
    for room in order:
        chance.shuffle(rooms[room])
    left = {}
    while any(rooms.values()):
        for room in order:
            if not rooms[room]:
                continue
            path = rooms[room].pop(0)
            if path not in left:
                # its own chance, so that what changes in a file changes the draws of no other
                left[path] = spread(find(path), random.Random(f'{seed} {path}'))
            if left[path]:
                yield left[path].pop(0)
                rooms[room].append(path)


def spread(found, chance):
    kinds = {}
    for mutant in found:
        kinds.setdefault(mutant.kind, []).append(mutant)
    for kind in sorted(kinds):
        chance.shuffle(kinds[kind])
    order = []
    while any(kinds.values()):
        names = sorted(kind for kind in kinds if kinds[kind])
        chance.shuffle(names)
        order += [kinds[name].pop() for name in names]
    return order


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--number', type=int, default=100, help='mutants to draw (%(default)s)')
    parser.add_argument('--only', default='src', help='a folder or file below src')
    parser.add_argument('--seed', default='1')
    parser.add_argument('--seconds', type=float, default=float('inf'), help='begin no mutant after so many')
    parser.add_argument('--changed', type=int, metavar='COMMITS', help='only lines that the last commits have changed')
    parser.add_argument('--folder', default='mutation-run')
    parser.add_argument('--source', default=os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))
    parser.add_argument('--build', default='build', help='the name of the build folder that is copied, if it is there')
    return parser.parse_args()


def sources(root, only):
    found = []
    for parent, _, names in os.walk(os.path.join(root, 'src')):
        found += [os.path.relpath(os.path.join(parent, name), root) for name in names if name.endswith('.c')]
    found = [path for path in found if path == only or path.startswith(only.rstrip('/') + '/')]
    if not found:
        raise SystemExit(f'mutation: there is no source in {only}: name a folder or a file, as src/log')
    return found


def main():
    options = parse_arguments()
    deadline = time.monotonic() + options.seconds
    source = os.path.abspath(options.source)
    folder = os.path.abspath(options.folder)
    reviewed = read_reviewed(os.path.join(source, 'tests', 'mutation', 'reviewed.txt'))
    paths = sources(source, options.only)
    changed = changed_lines(source, options.changed) if options.changed is not None else None
    tree = Tree(source, folder, options.build)
    tree.update()
    tree.configure()
    campaign = Campaign(tree, folder, reviewed, deadline + options.seconds / 2)

    def find(path):
        found = tree.find(path)
        return [mutant for mutant in found if changed is None or mutant.line in changed[path]]

    if changed is not None:
        paths = [path for path in paths if path in changed]
    n = 0
    for mutant in draw(paths, find, options.seed):
        if n >= options.number or time.monotonic() >= deadline:
            break
        n += 1
        if mutant.key() in campaign.results:
            continue
        row = campaign.add(mutant)
        say(f'{row["outcome"]:10} {row["seconds"]:>6} s  {mutant.path}:{mutant.line}  {mutant.kind}: {mutant.before} => '
            f'{mutant.after}  {row["by"]}')
    campaign.write_markdown()
    for key, row in campaign.results.items():
        if row['outcome'] == 'survived' and key not in reviewed:
            say(f'not reviewed: {key}')
    say(f'{n} drawn; {os.path.join(folder, "results.md")}')


if __name__ == '__main__':
    sys.exit(main())
