#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Print a Python that can import torch and numpy; fail where there is none.
for python in /usr/bin/python3 python3; do
  if "$python" -c 'import numpy, torch' > /dev/null 2>&1; then
    command -v "$python"
    exit 0
  fi
done
exit 1
