#!/bin/sh
# Shell scripts and completions are clean: shellcheck, and each shell's own syntax check where it is installed.
set -eu
cd "${CLAWWS_SOURCE_DIR:-$(dirname "$0")/../..}"
find apps tests -name '*.sh' -exec shellcheck -x {} +
shellcheck -s bash .ci/run completions/clawws.bash
bash -n completions/clawws.bash
if command -v zsh >/dev/null 2>&1; then zsh -n completions/_clawws; fi
if command -v fish >/dev/null 2>&1; then fish --no-execute completions/clawws.fish; fi
