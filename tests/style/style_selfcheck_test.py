#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# python: system
"""Each style check must be able to fail: a small tree that breaks every rule, and
one that keeps them all. Also how deep C nests, on cases with known answers."""
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import csource  # noqa: E402
import style_test  # noqa: E402

SPDX = '/* SPDX-License-Identifier: ' + 'Apache-2.0 */\n'
CMAKE = '# SPDX-License-Identifier: ' + 'Apache-2.0\nlayer(base LIBS X)\nlayer(io LAYERS base)\n'

GOOD = {
    'CMakeLists.txt': CMAKE,
    'lib/base/one.h': SPDX + 'int one(int n);\n',
    'lib/base/one.c': SPDX + '''/* exit(1) and strcpy(a, b) in a comment are no calls */
#include "base/one.h"

#include <math.h>
#include <xxhash.h>

int one(int n)
{
    const char *s = "abort(); /wo" "rk stderr";
    return s[0] + (int)sqrt((double)n);
}
''',
    'lib/io/two.c': SPDX + '#include "base/one.h"\n\nint two(void);\nint two(void)\n{\n'
                           '    return one(2);\n}\n',
    'tools/sluice-x.c': SPDX + 'int main(void)\n{\n    return 0;\n}\n',
    'tests/x.sh': '#!/usr/bin/env bash\n# SPDX-License-Identifier: ' + 'Apache-2.0\n:\n',
}

LONG = ''.join(f'    n += {i};\n' for i in range(110))
BRANCHY = ''.join(f'    if (n == {i})\n        n++;\n' for i in range(30))
DEEP = '''    for (;;)
        while (n)
            if (n)
                do {
                    if (n)
                        n++;
                } while (n);
'''
BAD = {
    'CMakeLists.txt': CMAKE,
    'lib/base/one.h': SPDX + '#include <zlib.h>\n' + 'int one(int n);\n' * 310,
    'lib/base/one.c': SPDX + '#include "io/two.h"\n#include <stdlib.h>\n#include <zlib.h>\n'
                      'int long_one(int n)\n{\n' + LONG + '    return n;\n}\n'
                      'int branchy(int n)\n{\n' + BRANCHY + '    return n;\n}\n'
                      'int deep(int n)\n{\n' + DEEP + '    return n;\n}\n'
                      'int many(int a, int b, int c, int d, int e, int f, int g)\n{\n'
                      '    exit(a);\n}\n'
                      'int   ' + 'x' * 100 + ';\n'
                      'double power(double x)\n{\n    return __builtin_pow(x, 1.5);\n}\n',
    'lib/io/two.h': SPDX,
    'lib/io/one.h': '#include "../base/one.h"\n',
    'tools/sluice-x.c': SPDX + 'int main(void)\n{\n' + '    ;\n' * 40 + '    return 0;\n}\n',
    'tests/x.sh': '#!/usr/bin/env bash\nif /ro' + 'ot/x; do\n',
}

# statements, and how deep they nest
NESTS = [
    ('n = 1;', 0),
    ('if (n) n = 1;', 1),
    ('if (n) { n = 1; } else if (m) { m = 1; } else { k = 1; }', 1),
    ('if (n) n = 1; else { if (m) m = 1; }', 2),
    ('for (;;) while (n) n--;', 2),
    ('switch (n) { case 1: if (m) m = 1; break; default: m = 2; }', 2),
    ('do { if (n) n = 1; } while (n); if (m) m = 1;', 2),
    ('struct s a = { { 1 }, { 2 } }; int b[] = { 1 };', 0),
    ('SL_FOR_EACH(a, b) { if (n) n = 1; }', 2),
    ('{ { n = 1; } }', 0),
    ('n = m ? k : 2; out: m = 1; if (n) goto out;', 1),
]


def make_tree(folder, files):
    for name, text in files.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w') as f:
            f.write(text)
        if text.startswith('#!') and files is GOOD:
            os.chmod(path, 0o755)
    return style_test.Tree(folder, 'build')


def compile_tree(folder, files):
    """A build with one open include path, as if CMake no longer kept the layers apart."""
    build = os.path.join(folder, 'build')
    os.mkdir(build)
    source = os.path.join(folder, 'lib/base/one.c')
    flags = [] if files is GOOD else ['-I' + os.path.join(folder, 'lib')]
    if files is GOOD:
        os.makedirs(os.path.join(build, 'include'))
        os.symlink(os.path.join(folder, 'lib/base'), os.path.join(build, 'include/base'))
        flags = ['-I' + os.path.join(build, 'include')]
    with open(os.path.join(build, 'compile_commands.json'), 'w') as f:
        f.write('[{"directory": "%s", "file": "%s", "command": "cc %s -c %s"}]'
                % (build, source, ' '.join(flags), source))
    code = 'double pow(double, double);\ndouble f(double x)\n{\n    return %s;\n}\n' \
        % ('x' if files is GOOD else 'pow(x, 1.5)')
    subprocess.run(['cc', '-x', 'c', '-c', '-o', os.path.join(build, 'f.o'), '-'],
                   input=code, text=True, check=True)
    subprocess.run(['ar', 'rc', os.path.join(build, 'libf.a'), os.path.join(build, 'f.o')],
                   check=True)


def main():
    passed = failed = 0

    def expect(ok, what):
        nonlocal passed, failed
        passed, failed = passed + bool(ok), failed + (not ok)
        if not ok:
            print(f'FAIL {what}')

    for files in (GOOD, BAD):
        with tempfile.TemporaryDirectory() as folder:
            tree = make_tree(folder, files)
            compile_tree(folder, files)
            tree.build = 'build'
            for name, bad in style_test.run_checks(tree).items():
                if files is BAD:
                    expect(bad, f'{name} finds nothing in the bad tree')
                elif name != 'format':
                    expect(bad == [], f'{name} in the good tree: {bad}')
    for body, depth in NESTS:
        got = csource.nesting('void f(void)\n{\n' + body + '\n}\n', 1, 4)
        expect(got == depth, f'nesting of {body}: {got}, not {depth}')
    for signature, n in (('(void)', 0), ('()', 0), ('(int a)', 1), ('(int a,int b)', 2),
                         ('(int (*f)(int,int),char * s)', 2), ('(const char * f,...)', 1)):
        expect(csource.count_params(signature) == n, f'parameters of {signature}')
    print(f'{passed} passed, {failed} failed')
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
