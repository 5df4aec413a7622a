-- SPDX-License-Identifier: MIT
std = "lua54"
max_line_length = 100
include_files = { "*/*.lua", "tests/**/*.lua", ".busted" }
files["tests/spec"] = { std = "+busted" }
