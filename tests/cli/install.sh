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
# The build machine's folders are in none of it. The sanitizers put the sources' places into what they watch.
if [ -z "${CLAWWS_SANITIZE-}" ] && grep -rl "$CLAWWS_SOURCE_DIR" "$work/moved here/prefix"; then
  echo "holds the path of the sources" >&2
  exit 1
fi
