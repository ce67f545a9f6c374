#!/usr/bin/env python3
"""The mutator finds the mistakes that can be made in sample.c, knows them again when lines come before them, and puts
them in and takes them out; and what it draws depends on the seed alone."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

if not shutil.which('clang') or not shutil.which('cc'):
    print('there is no clang: nothing can be looked at')
    sys.exit(77)
FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, FOLDER)
import mutants  # noqa: E402
import mutation  # noqa: E402

# What can be wrong with sample.c, by kind; nothing of the header, of a macro, or of the return at a function's end.
EXPECTED = {'compare': 5, 'negate': 4, 'constant': 8, 'leave-out': 4, 'swap': 1, 'error': 1}
DRIVER = '''#include "sample.h"
int main(void)
{
    return sample_add(6, 9) != 0 || sample_add(9, 9) != -1 || sample_add(3, 9) != 3 || sample_add(0, 9) != 0 || sample_add(2, 9) != 4 || sample_add(1, 2) != 1 ||\n    sample_add(101, 200) != 102 || sample_add(98, 200) != 100 || sample_add(99, 200) != 99;
}
'''
failed = 0
passed = 0


def check(holds, what):
    global failed, passed
    passed += bool(holds)
    failed += not holds
    if not holds:
        print('FAILED:', what)


def read(path):
    with open(path, 'rb') as file:
        return file.read()


def write(path, data):
    with open(path, 'wb') as file:
        file.write(data)


def behaves(folder):
    """Whether sample.c does what it should."""
    subprocess.run(['cc', '-w', '-o', 'sample', 'sample.c', 'driver.c'], cwd=folder, check=True)
    return subprocess.run(['./sample'], cwd=folder, check=False).returncode == 0


def check_found(found):
    kinds = {kind: sum(mutant.kind == kind for mutant in found) for kind in {mutant.kind for mutant in found}}
    check(kinds == EXPECTED, f'kinds: {kinds}')
    check(len({mutant.key() for mutant in found}) == len(found), 'each mutant has a key of its own')
    check(all(mutant.path == 'src/sample.c' for mutant in found), 'none is of another file')
    texts = [mutant.key() for mutant in found]
    for text in ('look compare: value < limit => value <= limit', 'look compare: value < limit => value >= limit',
                 'is_large compare: value > 100 => value >= 100',
                 'sample_add negate: value => !(value)', 'sample_add leave-out: return -1; => {}',
                 'sample_add swap: look(value, limit) => look(limit, value)',
                 'sample_add error: look(value, limit) => ((void)look(value, limit), (enum rk_err)0)'):
        check('src/sample.c ' + text in texts, text)


def check_applied(folder, found):
    """Each one compiles, and all but the one of a count that nobody reads change what the program does."""
    source = read(folder + '/sample.c')
    check(behaves(folder), 'sample.c is right')
    for mutant in found:
        write(folder + '/sample.c', mutant.apply(source))
        check(mutant.apply(source) != source, 'something is changed by ' + mutant.key())
        is_seen = 'n_calls++' not in mutant.before
        check(behaves(folder) != is_seen, mutant.key())
    write(folder + '/sample.c', source)
    check(behaves(folder), 'sample.c is right again')


def check_keys(folder, found):
    """Lines before a mutant change its place and nothing else of it."""
    write(folder + '/sample.c', b'/* One line more. */\n' + read(folder + '/sample.c'))
    again = mutants.find('sample.c', 'src/sample.c', [], folder)
    check([mutant.key() for mutant in again] == [mutant.key() for mutant in found], 'the keys are the same')
    check([mutant.line for mutant in again] == [mutant.line + 1 for mutant in found], 'the lines are one more')
    write(folder + '/sample.c', b'int broken(')
    try:
        mutants.find('sample.c', 'src/sample.c', [], folder)
        check(False, 'what does not compile is refused')
    except RuntimeError as error:
        check('src/sample.c' in str(error), 'the file is named')


def check_draws(found):
    def draw(seed):
        return [mutant.key() for mutant in mutation.draw(['src/a/a.c', 'src/b/b.c'], lambda path: [
            mutants.dataclasses.replace(mutant, path=path) for mutant in found], seed)]
    first = draw('1')
    check(draw('1') == first and draw('2') != first, 'a seed draws the same, another one does not')
    check(sorted(draw('2')) == sorted(first) and len(first) == 2 * len(found), 'all are drawn, each once')
    check({re.match(r'src/(\w)', key).group(1) for key in first[:2]} == {'a', 'b'}, 'rooms come in turns')


def check_reviewed(folder, found):
    path = folder + '/reviewed.txt'
    key = found[0].key()
    write(path, f'# why\n{key}\n    unwatched: nobody asks\n'.encode())
    reviewed = mutation.read_reviewed(path)
    check(reviewed == {key: ('unwatched', 'nobody asks')}, f'reviewed: {reviewed}')
    row = dict(file=found[0].path, line='3', function=found[0].function, kind=found[0].kind, before=found[0].before,
               after=found[0].after, number='1', outcome='survived', by='', seconds='1')
    check('unwatched: nobody asks' in mutation.markdown({key: row}, reviewed), 'the reason is in the table')
    check('**not reviewed**' in mutation.markdown({key: row}, {}), 'what has no reason is named')
    for text in (f'{key}\n', f'{key}\n    perhaps: x\n', '    equivalent: x\n', f'{key}\n    equivalent:\n'):
        write(path, text.encode())
        try:
            mutation.read_reviewed(path)
            check(False, f'refused: {text!r}')
        except SystemExit as error:
            check('reviewed.txt' in str(error), 'the file is named')


def main():
    with tempfile.TemporaryDirectory(prefix='rackkv-mutation-') as folder:
        for name in ('sample.c', 'sample.h'):
            shutil.copy(os.path.join(FOLDER, name), folder)
        write(folder + '/driver.c', DRIVER.encode())
        found = mutants.find('sample.c', 'src/sample.c', [], folder)
        check_found(found)
        check_applied(folder, found)
        check_keys(folder, found)
        check_draws(found)
        check_reviewed(folder, found)
    mutation.read_reviewed(os.path.join(FOLDER, 'reviewed.txt'))
    print(f'script cases: {passed} passed, {failed} failed')
    return failed > 0


if __name__ == '__main__':
    sys.exit(main())
