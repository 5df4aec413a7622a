-- SPDX-License-Identifier: MIT
std = "lua54"
max_line_length = 100
include_files = { "*/*.lua", "tests/**/*.lua", ".busted" }
files["examples/gateway.lua"] = { globals = { "host", "domain", "export", "lan", "nats", "routes", "outbox", "user", "filter" } }
files["tests/gateway"] = { std = "+busted" }
files["tests/spec"] = { std = "+busted" }
