#!/bin/sh
# An installation works where it was not made: staged with DESTDIR, moved, and called by a symlink; with the
# library shared or inside the tools, whichever this build has.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

DESTDIR=$work/stage cmake --install "$CLAWWS_BINARY_DIR" --prefix /opt/clawws >"$work/log"
mkdir "$work/moved here" "$work/bin"
mv "$work/stage/opt/clawws" "$work/moved here/prefix"
ln -s "$work/moved here/prefix/bin/clawws" "$work/bin/clawws"
# Elsewhere, so that nothing is found by the current directory, and without the build tree's help.
cd /
unset CLAWWS_EXEC_PATH LD_LIBRARY_PATH

"$work/bin/clawws" --version | grep -q '^clawws [0-9]'
for tool in serve tail bench; do
  [ -x "$work/moved here/prefix/libexec/clawws/clawws-$tool" ]
  "$work/bin/clawws" $tool --help | grep -q "clawws $tool"
  # The library comes from the installation, not from the build tree.
  if ldd "$work/moved here/prefix/libexec/clawws/clawws-$tool" | grep libclawws | grep -v "moved here"; then
    echo "clawws-$tool loads a library from elsewhere" >&2
    exit 1
  fi
  "$work/bin/clawws" help $tool </dev/null | grep -q "clawws.$tool"
done
for file in share/man/man1/clawws.1 share/man/man1/clawws-serve.1 share/man/man1/clawws-tail.1 \
  share/man/man1/clawws-bench.1 share/clawws/bench-report.schema.json share/clawws/bench-compare.schema.json \
  share/man/man7/clawws-protocol.7 share/bash-completion/completions/clawws \
  share/zsh/site-functions/_clawws share/fish/vendor_completions.d/clawws.fish; do
  [ -s "$work/moved here/prefix/$file" ] || { echo "$file is not installed" >&2; exit 1; }
done
# The client for browsers is a package as it lies there: whole, importable by its name, with types.
js="$work/moved here/prefix/share/clawws/js"
for file in clawws.js clawws.d.ts react.js react.d.ts package.json; do
  [ -s "$js/$file" ] || { echo "share/clawws/js/$file is not installed" >&2; exit 1; }
done
cmp "$js/clawws.js" "$CLAWWS_SOURCE_DIR/lib/web/clawws.js"
mkdir -p "$work/page/node_modules/react"
ln -s "$js" "$work/page/node_modules/clawws"
cat >"$work/page/page.mjs" <<'END'
import { readFileSync } from 'node:fs';
import * as clawws from 'clawws';
const folder = new URL('./node_modules/clawws/', import.meta.url);
const read = (name) => readFileSync(new URL(name, folder), 'utf8');
const { exports, version } = JSON.parse(read('package.json'));
if (!/^\d+\.\d+\.\d+$/.test(version)) throw new Error('no version');
for (const { types, default: module } of Object.values(exports)) {
  const exported = [...read(module).matchAll(/^export (?:function|class) (\w+)/gm)].map(([, name]) => name);
  const declared = [...read(types).matchAll(/^export (?:declare )?(?:function|class) (\w+)/gm)].map(([, name]) => name);
  if (exported.length === 0 || exported.sort().join() !== declared.sort().join()) {
    throw new Error(`${module} exports ${exported}, ${types} declares ${declared}`);
  }
}
if (clawws.parsePosition('e:7').seq !== 7 || typeof clawws.connect !== 'function') throw new Error('not the client');
END
node "$work/page/page.mjs"
grep -q "\"version\": \"$("$work/bin/clawws" --version | sed 's/clawws //')\"" "$js/package.json"

# The build machine's folders are in none of it. The sanitizers put the sources' places into what they watch.
if [ -z "${CLAWWS_SANITIZE-}" ] && grep -rl "$CLAWWS_SOURCE_DIR" "$work/moved here/prefix"; then
  echo "holds the path of the sources" >&2
  exit 1
fi
