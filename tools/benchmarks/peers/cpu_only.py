"""
Lets a PyTorch wheel that was built for CUDA be imported without CUDA's libraries (gigabytes), to compute on the CPU: for each of them that is not installed,
puts a library of its name beside PyTorch's own, whose functions end the program. Needs cc, nm and readelf. Run by the Python that has PyTorch.
"""
import glob
import os
import re
import subprocess
import sysconfig
import tempfile

site = sysconfig.get_paths()['purelib']
folder = os.path.join(site, 'torch', 'lib')


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def names(pattern):
    return {os.path.basename(path) for path in glob.glob(pattern)}


own = glob.glob(folder + '/*.so*')
installed = names(folder + '/*.so*') | names(site + '/nvidia/*/lib/*.so*')
missing = {}  # by library, the versions of symbols that are wanted of it
symbols = {}  # functions that are wanted of any, with their version
for path in own:
    for name in re.findall(r'NEEDED.*\[(lib(?:cu|nv|nccl).*)\]', output('readelf', '-d', path)):
        if name not in installed:
            missing.setdefault(name, [])
    for name, versions in re.findall(r'File: (\S+) .*\n((?:.*Name: .*\n?)+)', output('readelf', '-VW', path)):
        if name in missing:
            missing[name] = re.findall(r'Name: (\S+)', versions)
    for name, version in re.findall(r' U (\w+)(?:@(\S+))?$', output('nm', '-D', '--undefined-only', path), re.M):
        if version or re.match('cu|nv|nccl', name):
            symbols[name] = version

for library, versions in missing.items():
    # what has no version is found in any library that is loaded, and NCCL's always is
    wanted = [s for s, v in symbols.items() if (v in versions if versions else not v and 'nccl' in library)]
    source = ''.join(f'void {symbol}(void) {{ __builtin_trap(); }}\n' for symbol in wanted)
    with tempfile.NamedTemporaryFile('w', suffix='.map') as script:
        for version in versions:
            script.write(version + ' {' + ''.join(f'{s};' for s in wanted if symbols[s] == version) + '};\n')
        script.flush()
        scripted = [f'-Wl,--version-script={script.name}'] if versions else []
        target = os.path.join(folder, library)
        command = ['cc', '-shared', '-fPIC', '-w', '-x', 'c', '-', '-o', target, f'-Wl,-soname,{library}', *scripted]
        subprocess.run(command, input=source, text=True, check=True)
