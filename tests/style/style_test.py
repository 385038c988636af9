#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# python: system
"""usage: style_test.py [BUILD]

The house style that a program can check: sizes, layers, names, third-party
headers, forbidden calls, the symbols of libm. One check is one function whose
name starts with check_; it returns its offenders, one line each, or None where
there was nothing to look at. Prints them, and "N passed, N failed, N skipped".
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import csource  # noqa: E402

MAX_FUNCTION, MAX_MAIN, MAX_COMPLEXITY = 100, 30, 25
MAX_TOOL, MAX_FILTER, MAX_SOURCE, MAX_HEADER = 400, 250, 1000, 300
MAX_PARAMS, MAX_NESTING, MAX_COLUMNS = 6, 4, 100

LIBM_ALLOWED = {f + s for f in ('sqrt', 'fabs', 'floor', 'ceil', 'trunc', 'rint', 'ldexp')
                for s in ('', 'f', 'l')}

# Headers of C17, POSIX, Linux and the compiler; any other is a third party's.
SYSTEM_HEADERS = set('''
assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal
stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string tgmath
threads time uchar wchar wctype aio dirent dlfcn endian byteswap err fcntl fnmatch ftw getopt
glob grp langinfo libgen malloc netdb poll pthread pwd regex sched search semaphore spawn
strings sysexits syslog termios unistd utime alloca features cpuid immintrin x86intrin
emmintrin tmmintrin smmintrin nmmintrin wmmintrin arm_neon arm_acle
'''.split())
SYSTEM_FOLDERS = ('sys/', 'linux/', 'asm/', 'net/', 'netinet/', 'arpa/', 'sanitizer/')

# Nowhere in our code: they overflow, share state, or follow the locale.
FORBIDDEN = ('strcpy strcat stpcpy sprintf vsprintf gets strtok rand srand random gmtime '
             'localtime ctime asctime setlocale tmpnam mktemp').split()
# Not in the library below the runtime, which never prints and never exits.
FORBIDDEN_IN_LIB = ('printf vprintf fprintf vfprintf puts putchar fputs fputc perror warnx '
                    'errx exit _exit _Exit quick_exit abort atexit system').split()


class Tree:
    """The files of a checkout, and the text of each."""

    def __init__(self, root, build):
        self.root, self.build = root, build
        self.files = sorted(f for f in self.list() if os.path.isfile(os.path.join(root, f)))
        self.texts = {}

    def list(self):
        # The checkout may belong to another user; git would refuse to read it.
        git = subprocess.run(
            ['git', '-c', 'safe.directory=*', '-C', self.root, 'ls-files', '-z', '--cached',
             '--others', '--exclude-standard'], capture_output=True, text=True) \
            if shutil.which('git') and os.path.exists(os.path.join(self.root, '.git')) else None
        if git and git.returncode == 0:
            return {f for f in git.stdout.split('\0') if f}
        found = set()
        for folder, names, files in os.walk(self.root):
            names[:] = [n for n in names if n not in ('build', '.git', '__pycache__')]
            found.update(os.path.relpath(os.path.join(folder, f), self.root) for f in files)
        return found

    def text(self, path):
        if path not in self.texts:
            with open(os.path.join(self.root, path), 'rb') as f:
                raw = f.read()
            self.texts[path] = None if b'\0' in raw else raw.decode('utf-8', 'replace')
        return self.texts[path]

    def c(self, *folders, generated=False, ends=('.c', '.h')):
        """C files under the folders; the generated ones only on request."""
        return [f for f in self.files
                if f.endswith(ends) and f.startswith(tuple(d + '/' for d in folders))
                and (generated or not is_generated(f))]

    def scripts(self):
        return [f for f in self.files if f.endswith(('.sh', '.py')) or
                (self.text(f) or '').startswith('#!')]

    def shell(self):
        return [f for f in self.scripts()
                if re.match(r'#!.*\b(ba)?sh\b', self.text(f) or '') or f.endswith('.sh')]

    def functions(self):
        if not hasattr(self, '_functions'):
            paths = [os.path.join(self.root, f) for f in self.c('lib', 'tools', 'filters')]
            self._functions = csource.functions(paths)
            for f in self._functions:
                f['path'] = os.path.relpath(f['path'], self.root)
        return self._functions

    def layers(self):
        """{layer: layers it may use}, as the layer() lines of CMakeLists.txt say."""
        direct = {}
        for m in re.finditer(r'^layer\((\w+)([^)]*)\)', self.text('CMakeLists.txt'), re.M):
            used = re.search(r'\bLAYERS((?:\s+[a-z]\w*)+)', m.group(2))
            direct[m.group(1)] = set(used.group(1).split()) if used else set()
        return direct


def is_generated(path):
    return path.endswith(('_table.h', '_gen.c', '_gen.h'))


def lines_of(tree, path):
    return tree.text(path).count('\n')


def layer_of(path):
    parts = path.split('/')
    return parts[1] if parts[0] == 'lib' and len(parts) > 2 else None


def check_function_lines(tree):
    return [f"{f['path']}:{f['line']}: {f['name']} has {f['lines']} lines, {limit} allowed"
            for f in tree.functions()
            for limit in [MAX_MAIN if f['name'] == 'main' and f['path'].startswith('tools/')
                          else MAX_FUNCTION]
            if f['lines'] > limit] if tree.functions() else None


def check_complexity(tree):
    paths = [os.path.join(tree.root, f) for f in tree.c('lib', 'tools', 'filters')]
    rows = csource.complexity(paths)
    if not rows:
        return None
    for path, name, modified, cases in rows:
        if cases > MAX_COMPLEXITY >= modified:
            print(f'note: {os.path.relpath(path, tree.root)}: {name} has complexity {cases} '
                  f'when each case of a switch counts, {modified} when a switch is one')
    print(distribution('complexity', [r[2] for r in rows], 'aim 95% 10'))
    return [f'{os.path.relpath(path, tree.root)}: {name} has complexity {modified}, '
            f'{MAX_COMPLEXITY} allowed'
            for path, name, modified, _ in rows if modified > MAX_COMPLEXITY]


def check_file_lines(tree):
    bad = []
    for f in tree.c('lib', 'tools', 'filters'):
        limit = MAX_HEADER if f.endswith('.h') else MAX_SOURCE
        if f.endswith('.c') and not f.startswith('lib/'):
            limit = MAX_TOOL if f.startswith('tools/') else MAX_FILTER
        if lines_of(tree, f) > limit:
            bad.append(f'{f}: {lines_of(tree, f)} lines, {limit} allowed')
    return bad


def check_params(tree):
    return [f"{f['path']}:{f['line']}: {f['name']} has {f['params']} parameters, "
            f'{MAX_PARAMS} allowed'
            for f in tree.functions() if f['params'] > MAX_PARAMS] if tree.functions() else None


def check_nesting(tree):
    depths = [(csource.nesting(tree.text(f['path']), f['line'], f['lines']), f)
              for f in tree.functions()]
    if not depths:
        return None
    print(distribution('nesting', [d for d, _ in depths], 'aim 2'))
    return [f"{f['path']}:{f['line']}: {f['name']} nests {d} deep, {MAX_NESTING} allowed"
            for d, f in depths if d > MAX_NESTING]


def check_columns(tree):
    return [f'{f}:{n}: {len(line)} columns, {MAX_COLUMNS} allowed'
            for f in tree.c('lib', 'tools', 'filters', 'tests') +
            [s for s in tree.scripts() if not is_generated(s)]
            for n, line in enumerate(tree.text(f).split('\n'), 1) if len(line) > MAX_COLUMNS]


def check_unique_names(tree):
    seen = {}
    for f in tree.files:
        if f.endswith(('.c', '.h')) or re.search(r'_test\.(py|sh)$', f):
            seen.setdefault(os.path.basename(f), []).append(f)
    return [' and '.join(same) + ' have the same name' for same in seen.values() if len(same) > 1]


def check_spdx(tree):
    return [f'{f}: no SPDX line' for f in tree.files
            if f.endswith(('.c', '.h', '.py', '.sh')) or f.endswith('CMakeLists.txt') or
            f in tree.shell()
            if 'SPDX-License-Identifier: Apache-2.0' not in
            '\n'.join((tree.text(f) or '').split('\n')[:5])]


def is_third_party(header):
    return not (header.startswith(SYSTEM_FOLDERS) or
                header.removesuffix('.h') in SYSTEM_HEADERS)


def check_third_party_headers(tree):
    users, bad = {}, []
    for f in tree.c('lib', 'tools', 'filters', generated=True):
        for kind, name in csource.includes(tree.text(f)):
            if kind == '<' and is_third_party(name) and name != 'cmocka.h':
                users.setdefault(name, []).append(f)
            if name == 'cmocka.h' and not f.endswith(('_test.c', '_model.h')):
                bad.append(f'{f}: includes cmocka.h, and is no test')
    for name, files in sorted(users.items()):
        if len(files) > 1:
            bad.append(f'<{name}> is included by {" ".join(files)}')
        elif files[0].endswith('.h'):
            bad.append(f'<{name}> is included by a header, {files[0]}')
    return bad


def check_layers(tree):
    layers, bad = tree.layers(), []
    bad += [f'CMakeLists.txt: layer {a} uses {b}, which is no layer'
            for a, used in layers.items() for b in used - set(layers)]
    for f in tree.c('lib', generated=True):
        layer = layer_of(f)
        if layer not in layers:
            bad.append(f'{f}: is in no layer')
            continue
        for kind, name in csource.includes(tree.text(f)):
            folder = name.split('/')[0] if '/' in name else None
            if '..' in name.split('/'):
                bad.append(f'{f}: includes "{name}", by a way around its layer')
            elif kind == '"' and folder not in layers and not is_generated(name):
                bad.append(f'{f}: includes "{name}"; a header is named layer/header')
            elif folder in layers and folder != layer and folder not in layers[layer]:
                bad.append(f'{f}: layer {layer} may not use "{name}"')
    return bad


def check_layers_compile(tree):
    """What a layer may not include, the compiler must not find: tried with its own flags."""
    import json
    layers, bad, tried = tree.layers(), [], 0
    database = os.path.join(tree.root, tree.build, 'compile_commands.json')
    if not os.path.exists(database):
        return None
    with open(database) as f:
        commands = {layer_of(os.path.relpath(c['file'], tree.root)): c for c in json.load(f)
                    if not c['file'].endswith('_test.c')}
    headers = {layer_of(f): '/'.join(f.split('/')[1:]) for f in tree.c('lib', ends='.h')}
    for layer in layers:
        if layer not in commands:
            continue
        # the flags as CMake wrote them, for a source from stdin in an empty folder
        flags = re.findall(r'-isystem +\S+|-[ID]\S+', commands[layer]['command'])
        flags = ' '.join(flags).replace('\\"', '"').split()
        for other, header in headers.items():
            with tempfile.TemporaryDirectory() as empty:
                found = subprocess.run(
                    ['cc', '-E', *flags, '-o', os.devnull, '-x', 'c', '-'], cwd=empty,
                    input=f'#include "{header}"\n', capture_output=True, text=True)
            tried += 1
            allowed = other == layer or other in layers[layer]
            if allowed != (found.returncode == 0):
                bad.append(f'layer {layer} {"cannot" if allowed else "can"} include "{header}"')
    return bad if tried else None


def check_machine_paths(tree):
    """No path that exists on one machine alone; scripts name no absolute path but a few."""
    ours = re.compile(r'(?<![\w.:/$}*~-])/(?:' + 'wo' + r'rk/|tmp/' + r'wt\b|tmp/ve' + r'nv|ro' +
                      r'ot/|home/\w+/\.)|\.py' + r'env\b')
    absolute = re.compile(r'(?<![\w.:/$}*~)\]-])/(?:tmp|root|home|opt|var|etc|usr|mnt|srv)/'
                          r'[\w./-]+')
    fine = ('/usr/bin/env', '/usr/bin/python3', '/usr/share/')
    bad = []
    for f in tree.files:
        strict = f.endswith(('.sh', '.cmake', 'CMakeLists.txt', 'Makefile')) or f.startswith('.ci/')
        for n, line in enumerate((tree.text(f) or '').split('\n'), 1):
            hits = ours.findall(line)
            if strict:
                hits += [h for h in absolute.findall(line) if not h.startswith(fine)]
            bad += [f'{f}:{n}: names {h}' for h in hits]
    return bad


def check_format(tree):
    paths = tree.c('lib', 'tools', 'filters', 'tests')
    if not paths:
        return None
    run = subprocess.run(['clang-format', '--dry-run', '-Werror', *paths], cwd=tree.root,
                         capture_output=True, text=True)
    places = {}
    for m in re.finditer(r'^(\S+?):(\d+):\d+: ', run.stderr, re.M):
        places.setdefault(m.group(1), []).append(m.group(2))
    bad = [f'{f}:{lines[0]}: clang-format changes {len(lines)} places'
           for f, lines in places.items()]
    return bad if bad or run.returncode == 0 else [run.stderr.strip()]


def check_forbidden_calls(tree):
    bad = []
    for f in tree.c('lib', 'tools', 'filters', ends='.c'):
        if f.endswith('_test.c'):
            continue
        below = f.startswith('filters/') or layer_of(f) not in (None, 'run')
        names = FORBIDDEN + (FORBIDDEN_IN_LIB if below else [])
        call = re.compile(r'(?<![\w.>])(' + '|'.join(names) + r')\s*\(' +
                          (r'|(?<![\w.>])(stderr|stdout)\b' if below else ''))
        for n, line in enumerate(csource.strip(tree.text(f)).split('\n'), 1):
            bad += [f'{f}:{n}: uses {m[0] or m[1]}' for m in
                    (c.groups() + (None,) for c in call.finditer(line))]
    return bad


def symbols(*arguments):
    out = subprocess.run(['nm', '-P', *arguments], capture_output=True, text=True).stdout
    return {line.split()[0].split('@')[0] for line in out.splitlines() if line.strip()}


def check_libm(tree):
    """Programs and the libraries that they are made of."""
    libm = subprocess.run(['cc', '-print-file-name=libm.so.6'], capture_output=True,
                          text=True).stdout.strip()
    theirs = symbols('-D', '--defined-only', libm)
    if 'exp' not in theirs:
        return [f'cannot read the symbols of {libm}']
    build = os.path.join(tree.root, tree.build)
    folder = os.path.join(build, 'bin')
    files = [os.path.join(folder, f) for f in sorted(os.listdir(folder))] \
        if os.path.isdir(folder) else []
    bad = [(f, s) for f in files for s in symbols('-D', '--undefined-only', f) & theirs]
    archives = [os.path.join(build, f) for f in sorted(os.listdir(build))
                if f.endswith('.a')] if os.path.isdir(build) else []
    bad += [(f, s) for f in archives for s in symbols('-u', f) & theirs]
    return [f'{os.path.relpath(f, tree.root)}: takes {s} from libm' for f, s in sorted(bad)
            if s not in LIBM_ALLOWED] if files or archives else None


def check_shell_syntax(tree):
    bad = []
    for f in tree.shell():
        run = subprocess.run(['bash', '-n', f], cwd=tree.root, capture_output=True, text=True)
        bad += run.stderr.splitlines() or ([f] if run.returncode else [])
    return bad


def check_executable_scripts(tree):
    return [f'{f}: starts with #! and is not executable' for f in tree.shell()
            if (tree.text(f) or '').startswith('#!') and not f.endswith('_test.sh')
            and not os.access(os.path.join(tree.root, f), os.X_OK)]


def distribution(what, values, aim):
    v = sorted(values)
    return (f'{what}: median {v[len(v) // 2]}, 95% {v[min(len(v) - 1, len(v) * 95 // 100)]}, '
            f'greatest {v[-1]}, {len(v)} functions ({aim})')


def run_checks(tree):
    """{check: offenders or None}, in the order of this file."""
    return {name[6:]: check(tree) for name, check in globals().items()
            if name.startswith('check_')}


def main():
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    tree = Tree(root, sys.argv[1] if len(sys.argv) > 1 else 'build/release')
    if tree.functions():
        ours = [f['lines'] for f in tree.functions() if not f['path'].endswith('_test.c')]
        print(distribution('lines', ours or [0], 'aim median 12, 95% 60'))
    passed = failed = skipped = 0
    for name, bad in run_checks(tree).items():
        if bad is None:
            print(f'skipped: {name}, there is nothing to look at')
        else:
            print(f'{"FAIL" if bad else "ok"} {name}')
        for line in bad or []:
            print(f'    {line}')
        passed, failed, skipped = passed + (bad == []), failed + bool(bad), skipped + (bad is None)
    print(f'{passed} passed, {failed} failed, {skipped} skipped')
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
