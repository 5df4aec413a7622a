-- SPDX-License-Identifier: MIT
-- The scripts in shell look at their arguments before they install, build or run anything.

local support = require("tests.spec.support")
local scripts = require("tests.spec.scripts")

local NAMES = { "bench", "fuzz", "guard", "intranet-demo", "run", "soak", "test" }

local WRONG = {
  ["bench --bogus"] = "no such option: --bogus",
  ["bench quick"] = "no such option: quick",
  ["bench --quick --only"] = "--only needs a value",
  ["fuzz"] = "say for how many seconds",
  ["fuzz 1 --bogus"] = "no such option: --bogus",
  ["fuzz 1 bogus"] = "no such target: bogus",
  ["guard --bogus"] = "no such option: --bogus",
  ["guard --record now"] = "one option at most: --record now",
  ["intranet-demo --bogus"] = "no such option: --bogus",
  ["intranet-demo /nowhere"] = "no gateway is built in /nowhere",
  ["intranet-demo a b"] = "one BUILD at most: a b",
  ["soak"] = "say for how many minutes",
  ["soak 1m"] = "not a number of minutes: 1m",
  ["soak 1 --bogus"] = "no such option: --bogus",
  ["soak 1 --seed"] = "--seed needs a number",
  ["test --bogus"] = "no such option: --bogus",
}

describe("the scripts in shell", function()
  before_each(support.enter)
  after_each(support.leave)

  for line, what in pairs(WRONG) do
    it("exit with 2 and say in one line what is wrong with: " .. line, function()
      local script = scripts.shell("$S/" .. line)
      assert.equal(2, scripts.finish(script))
      assert.equal("", script.out)
      assert.equal(("%s: %s (try --help)\n"):format(line:match("%S+"), what), script.err)
    end)
  end

  it("leave wrong options of the server to it, and do not build for them", function()
    local script = scripts.shell("$S/run --bogus")
    assert.equal(2, scripts.finish(script))
    assert.equal("", script.out)
    assert.matches("^Usage: server.lua .*\nserver.lua: unknown option '%-%-bogus'\n$", script.err)
  end)

  for _, name in ipairs(NAMES) do
    it("print help with -h and --help: " .. name, function()
      for _, option in ipairs({ "-h", "--help" }) do
        local script = scripts.shell(("$S/%s %s"):format(name, option))
        assert.equal(0, scripts.finish(script))
        assert.equal("", script.err)
        assert.matches("^Usage: scripts/" .. name:gsub("%-", "%%-") .. " ", script.out)
      end
    end)
  end
end)
