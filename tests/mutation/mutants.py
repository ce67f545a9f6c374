"""Small mistakes of one C file, found in clang's syntax tree (clang -ast-dump=json).

    kind       what becomes of it
    compare    a comparison turned (< into >=), or off by one (< into <=)
    negate     a condition, or an operand of && and ||, negated
    constant   an integer one more, one less
    leave-out  a statement left out
    swap       two arguments of the same type swapped
    error      an enum rk_err of a call taken for RK_OK

What a macro has written is left alone, and so are assertions: they are no behaviour. A mutant is known by its file,
function, kind and text, and a number where these are the same; so it is the same one when lines are added above it.
"""
import dataclasses
import json
import os
import re
import subprocess

TURNED = {'<': '>=', '>': '<=', '<=': '>', '>=': '<', '==': '!=', '!=': '=='}
OFF_BY_ONE = {'<': '<=', '>': '>=', '<=': '<', '>=': '>'}
# Nodes that stand between an expression and what it means.
WRAPPERS = ('ImplicitCastExpr', 'ParenExpr')
# Where a statement may stand, and so be replaced by {}.
BODIES = ('CompoundStmt', 'IfStmt', 'ForStmt', 'WhileStmt', 'DoStmt', 'CaseStmt', 'DefaultStmt', 'LabelStmt')
JUMPS = ('ReturnStmt', 'GotoStmt', 'ContinueStmt', 'BreakStmt')
TEXT_MAX = 160


@dataclasses.dataclass
class Mutant:
    path: str
    line: int
    function: str
    kind: str
    begin: int  # offsets in the bytes of the file
    end: int
    replacement: bytes
    before: str
    after: str
    number: int = 1  # of those that are alike

    def key(self):
        text = f'{self.path} {self.function} {self.kind}: {self.before} => {self.after}'
        return text if self.number == 1 else f'{text} #{self.number}'

    def apply(self, source):
        return source[:self.begin] + self.replacement + source[self.end:]


def place_files(value, current):
    """Clang names a location's file only when it is another one than before, in the order of its output: writes it into
    each location. Returns the file of the last one."""
    if isinstance(value, list):
        for item in value:
            current = place_files(item, current)
    elif isinstance(value, dict):
        if 'offset' in value:
            current = value.get('file', current)
            value['file'] = current
        for key, item in value.items():
            if key != 'includedFrom' and isinstance(item, (dict, list)):
                current = place_files(item, current)
    return current


def unwrapped(node):
    while node.get('kind') in WRAPPERS and len(node.get('inner', [])) == 1:
        node = node['inner'][0]
    return node


def is_comparison(node):
    return node.get('kind') == 'BinaryOperator' and node['opcode'] in TURNED


def is_logical(node):
    return node.get('kind') == 'BinaryOperator' and node['opcode'] in ('&&', '||')


class Finder:
    def __init__(self, path, name, source):
        self.path = path  # as clang was given it
        self.name = name  # as mutants are named
        self.source = source
        self.function = ''
        self.mutants = []
        self.n_alike = {}

    def span(self, node):
        """The bytes of a node, or None where a macro has written its beginning, or it is of another file."""
        begin = node.get('range', {}).get('begin', {})
        end = node.get('range', {}).get('end', {})
        if 'expansionLoc' in end:
            end = end['expansionLoc']
        if begin.get('file') != self.path or end.get('file') != self.path or 'offset' not in begin:
            return None
        return begin['offset'], self.end_of_macro(end['offset'] + end['tokLen'], node['range']['end'])

    def end_of_macro(self, offset, end):
        """Of a macro with arguments, clang gives the name: its end is the parenthesis."""
        if 'expansionLoc' not in end or self.source[offset:offset + 1] != b'(':
            return offset
        depth = 0
        for at in range(offset, len(self.source)):
            depth += {40: 1, 41: -1}.get(self.source[at], 0)
            if depth == 0:
                return at + 1
        return offset

    def start(self, node):
        begin = node.get('range', {}).get('begin', {})
        begin = begin.get('expansionLoc', begin)
        return begin.get('offset') if begin.get('file') == self.path else None

    def text(self, span):
        return self.source[span[0]:span[1]]

    def add(self, kind, span, replacement, shown=None):
        """shown: the bytes around, when the replaced ones alone do not say much."""
        shown = shown or span
        before = self.text(shown)
        after = before[:span[0] - shown[0]] + replacement + before[span[1] - shown[0]:]
        texts = [' '.join(text.decode('utf-8', 'replace').split())[:TEXT_MAX] for text in (before, after)]
        mutant = Mutant(self.name, self.source.count(b'\n', 0, span[0]) + 1, self.function, kind, span[0], span[1],
                        replacement, texts[0], texts[1])
        self.n_alike[mutant.key()] = mutant.number = self.n_alike.get(mutant.key(), 0) + 1
        self.mutants.append(mutant)

    def compare(self, node, span):
        left, right = (self.span(node['inner'][0]), self.start(node['inner'][1]))
        if not left or right is None:
            return
        between = self.source[left[1]:right]
        operator = node['opcode'].encode()
        if between.strip() != operator:
            return
        at = left[1] + between.index(operator)
        for table in (TURNED, OFF_BY_ONE):
            if node['opcode'] in table:
                self.add('compare', (at, at + len(operator)), table[node['opcode']].encode(), span)

    def negate(self, node):
        node, span = unwrapped(node), self.span(node)
        if span and not is_comparison(node) and not is_logical(node):
            self.add('negate', span, b'!(' + self.text(span) + b')')

    def conditions(self, node):
        inner = node.get('inner', [])
        if node['kind'] in ('IfStmt', 'WhileStmt', 'ConditionalOperator'):
            self.negate(inner[0])
        elif node['kind'] == 'DoStmt':
            self.negate(inner[1])
        elif node['kind'] == 'ForStmt' and inner[2]:
            self.negate(inner[2])
        elif is_logical(node):
            for operand in inner:
                self.negate(operand)

    def constant(self, parents, span):
        text = self.text(span)
        if any(parent['kind'] in ('CaseStmt', 'StaticAssertDecl', 'EnumConstantDecl') for parent in parents[-3:]):
            return
        if re.fullmatch(rb'(0[xX][0-9a-fA-F]+|[0-9]+)[uUlL]*', text):
            for change in (b' + 1', b' - 1'):
                self.add('constant', span, b'(' + text + change + b')', self.line_of(span))

    def line_of(self, span):
        begin = self.source.rfind(b'\n', 0, span[0]) + 1
        end = self.source.find(b'\n', span[1])
        return begin, len(self.source) if end < 0 else end

    def leave_out(self, node, parents, span):
        kind = node['kind']
        if parents[-1]['kind'] not in BODIES or (parents[-1]['kind'] != 'CompoundStmt' and
                                                 node is parents[-1]['inner'][0]):
            return
        what = unwrapped(node['inner'][0]) if kind == 'CStyleCastExpr' else node
        is_change = kind in ('CompoundAssignOperator', 'CallExpr') or what.get('kind') == 'CallExpr' or (
            kind == 'BinaryOperator' and node['opcode'] == '=') or (
                kind == 'UnaryOperator' and node['opcode'] in ('++', '--'))
        # The return at the end of a function has to be there.
        is_guard = kind in JUMPS and len(parents) > 2
        after = re.match(rb'\s*;', self.source[span[1]:])
        if (is_change or is_guard) and after:
            self.add('leave-out', (span[0], span[1] + after.end()), b'{}')

    def swap(self, node, parents):
        arguments = node['inner'][1:]
        for first, second in zip(arguments, arguments[1:]):
            types = [argument['type'].get('desugaredQualType', argument['type']['qualType'])
                     for argument in (first, second)]
            spans = [self.span(argument) for argument in (first, second)]
            if types[0] != types[1] or None in spans or self.text(spans[0]) == self.text(spans[1]):
                continue
            between = self.source[spans[0][1]:spans[1][0]]
            self.add('swap', (spans[0][0], spans[1][1]), self.text(spans[1]) + between + self.text(spans[0]),
                     self.span(node))

    def error(self, node, parents, span):
        if node['type']['qualType'] == 'enum rk_err' and parents[-1]['kind'] not in BODIES + ('CStyleCastExpr',):
            self.add('error', span, b'((void)' + self.text(span) + b', (enum rk_err)0)')

    def visit(self, node, parents):
        span = self.span(node)
        if node['kind'] == 'StmtExpr' and span is None:
            return
        if span:
            if is_comparison(node):
                self.compare(node, span)
            if node['kind'] == 'IntegerLiteral':
                self.constant(parents, span)
            if node['kind'] == 'CallExpr':
                self.swap(node, parents)
                self.error(node, parents, span)
            if len(parents) > 1:
                self.leave_out(node, parents, span)
            self.conditions(node)
        for child in node.get('inner', []):
            if child.get('kind'):
                self.visit(child, parents + [node])

    def visit_file(self, tree):
        place_files(tree, '')
        for node in tree['inner']:
            inner = node.get('inner', [])
            # By its body: the name of its type may be a macro, as bool is.
            has_body = node['kind'] == 'FunctionDecl' and inner and inner[-1]['kind'] == 'CompoundStmt'
            if has_body and self.span(inner[-1]):
                self.function = node['name']
                self.visit(inner[-1], [node])
        return self.mutants


def find(path, name, flags, folder='.'):
    """All mutants of a file in their order. path: as clang finds it from `folder`; name: as they are to be named.
    RuntimeError with clang's words when it cannot read it."""
    command = ['clang', '-fsyntax-only', '-w', '-Xclang', '-ast-dump=json', *flags, path]
    # A compiler cache in front of clang would give it the preprocessed text, in which nothing is of the file.
    run = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                         env=dict(os.environ, CCACHE_DISABLE='1'))
    if run.returncode != 0:
        raise RuntimeError(f'{name}: clang cannot read it:\n' + run.stderr.decode('utf-8', 'replace'))
    with open(f'{folder}/{path}' if not path.startswith('/') else path, 'rb') as file:
        source = file.read()
    return Finder(path, name, source).visit_file(json.loads(run.stdout))
