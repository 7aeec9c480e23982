#include "clawws/base/flags.hpp"

#include <gtest/gtest.h>

#include <map>

#include "clawws/base/text.hpp"
#include "clawws/base/time.hpp"
#include "support/temp_dir.hpp"

namespace clawws::base {
namespace {

using Strings = std::vector<std::string>;

// A small tool with one flag of each kind; what `set` is told is kept in `seen`.
class BaseFlags : public testing::Test {
 protected:
  BaseFlags() {
    spec_.program = "clawws serve";
    spec_.summary = "Serve live events.";
    spec_.usage = "clawws serve [OPTIONS]";
    add("listen", 'l', FlagKind::repeat, "HOST:PORT", "address to listen on").default_text =
        "127.0.0.1:8443";
    Flag& interval = add("ping-interval", 0, FlagKind::value, "DUR", "time between two pings");
    interval.default_text = "25s";
    interval.set = [this](std::string_view value) -> Result<void> {
      const auto parsed = parse_duration(value);
      if (!parsed) return parsed.error();
      seen_["ping-interval"].emplace_back(value);
      return {};
    };
    add("output", 'o', FlagKind::value, "FORMAT", "output format");
    add("verbose", 'v', FlagKind::toggle, "", "say more");
    add("quiet", 'q', FlagKind::toggle, "", "say less");
    add("wait", 0, FlagKind::optional_value, "DUR", "wait for the server");
    Flag& password = add("secret-word", 0, FlagKind::value, "WORD", "a secret");
    password.secrecy = Secrecy::secret;
    password.set = [this](std::string_view value) -> Result<void> {
      if (value == "hunter2") return Error(Errc::usage, "is too short");
      seen_["secret-word"].emplace_back(value);
      return {};
    };
    Flag& check = add("check", 0, FlagKind::toggle, "", "check and exit");
    check.from_file = false;
    check.from_environment = false;
  }

  Flag& add(const char* name, char letter, FlagKind kind, const char* value_name,
            const char* help) {
    Flag flag;
    flag.name = name;
    flag.letter = letter;
    flag.kind = kind;
    flag.value_name = value_name;
    flag.group = "Main";
    flag.help = help;
    flag.set = [this, key = std::string(name)](std::string_view value) -> Result<void> {
      seen_[key].emplace_back(value);
      return {};
    };
    spec_.flags.push_back(flag);
    return spec_.flags.back();
  }
  void add_positional(const char* name) {
    spec_.positionals.push_back(
        {name, "a word", [this, key = std::string(name)](std::string_view value) -> Result<void> {
           if (value == "bad") return Error(Errc::usage, "must be good");
           seen_[key].emplace_back(value);
           return {};
         }});
  }
  std::string file(std::string_view content) { return dir_.write("clawws.conf", content).string(); }
  Result<FlagOutcome> parse(const Strings& args) {
    seen_.clear();
    return parse_flags(spec_, args, [this](const char* name) -> const char* {
      const auto found = environment_.find(name);
      return found == environment_.end() ? nullptr : found->second.c_str();
    });
  }
  std::string error_of(const Strings& args, Errc code) {
    const auto outcome = parse(args);
    if (!outcome.has_error()) return "no error";
    EXPECT_EQ(outcome.error().code, code);
    return outcome.error().message();
  }

  test::TempDir dir_;
  FlagSpec spec_;
  std::map<std::string, Strings> seen_;
  std::map<std::string, std::string> environment_;
};

TEST_F(BaseFlags, ReadsEveryFormOfAFlag) {
  ASSERT_TRUE(parse({"--output", "json", "--ping-interval=10s", "-vq", "-l", "a:1", "-lb:2"}));
  EXPECT_EQ(seen_["output"], Strings{"json"});
  EXPECT_EQ(seen_["ping-interval"], Strings{"10s"});
  EXPECT_EQ(seen_["verbose"], Strings{"true"});
  EXPECT_EQ(seen_["quiet"], Strings{"true"});
  EXPECT_EQ(seen_["listen"], (Strings{"a:1", "b:2"}));
  ASSERT_TRUE(parse({"-vvo", "raw"}));
  EXPECT_EQ(seen_["verbose"], (Strings{"true", "true"}));
  EXPECT_EQ(seen_["output"], Strings{"raw"});
  EXPECT_EQ(parse({"--output", "a", "--output", "b"})->given["output"].values, Strings{"b"});
}

TEST_F(BaseFlags, TakesValuesAsTheyStand) {
  ASSERT_TRUE(parse({"--output", "-", "--listen", "[::1]", "--listen=[a,b]", "-l", "--output"}));
  EXPECT_EQ(seen_["output"], Strings{"-"});
  EXPECT_EQ(seen_["listen"], (Strings{"[::1]", "[a,b]", "--output"}));
  ASSERT_TRUE(parse({"--output={}", "--listen", "a b=c"}));
  EXPECT_EQ(seen_["output"], Strings{"{}"});
  EXPECT_EQ(seen_["listen"], Strings{"a b=c"});
}

TEST_F(BaseFlags, AnEmptyValueDoesNotSwallowTheNextWord) {
  ASSERT_TRUE(parse({"--output=", "--verbose"}));
  EXPECT_EQ(seen_["output"], Strings{""});
  EXPECT_EQ(seen_["verbose"], Strings{"true"});
  EXPECT_NE(error_of({"--wait="}, Errc::usage).find("--wait= has nothing behind '='"),
            std::string::npos);
}

TEST_F(BaseFlags, AnOptionalValueDoesNotSwallowTheNextWord) {
  add_positional("URL");
  ASSERT_TRUE(parse({"--wait", "wss://host"}));
  EXPECT_EQ(seen_["wait"], Strings{""});
  EXPECT_EQ(seen_["URL"], Strings{"wss://host"});
  ASSERT_TRUE(parse({"--wait=10s", "wss://host"}));
  EXPECT_EQ(seen_["wait"], Strings{"10s"});
  ASSERT_TRUE(parse({"--wait=1"}));
  EXPECT_EQ(seen_["wait"], Strings{"1"});
}

TEST_F(BaseFlags, PositionalsInOrderTheLastTakesTheRest) {
  add_positional("URL");
  add_positional("TYPE");
  ASSERT_TRUE(parse({"u", "-v", "a.*", "-", "--", "--b"}));
  EXPECT_EQ(seen_["URL"], Strings{"u"});
  EXPECT_EQ(seen_["TYPE"], (Strings{"a.*", "-", "--b"}));
  EXPECT_EQ(error_of({"u", "bad"}, Errc::usage), "TYPE \"bad\": must be good");
}

TEST_F(BaseFlags, UnknownFlagsNameTheNearest) {
  EXPECT_EQ(error_of({"--lisetn", "x"}, Errc::usage),
            "unknown flag --lisetn; did you mean --listen?");
  EXPECT_EQ(error_of({"--verbos=hunter2"}, Errc::usage),
            "unknown flag --verbos; did you mean --verbose?");
  EXPECT_EQ(error_of({"--elephant"}, Errc::usage), "unknown flag --elephant; see --help");
  EXPECT_EQ(error_of({"-vx"}, Errc::usage), "unknown flag -x; see --help");
  EXPECT_EQ(error_of({"-phunter2"}, Errc::usage), "unknown flag -p; see --help");
  EXPECT_EQ(error_of({"word"}, Errc::usage), "unexpected argument \"word\"; see --help");
  EXPECT_EQ(error_of({"-v", "--", "--output"}, Errc::usage),
            "unexpected argument \"--output\"; see --help");
}

TEST_F(BaseFlags, MissingAndBadValues) {
  EXPECT_EQ(error_of({"-v", "--output"}, Errc::usage), "--output needs a value: FORMAT");
  EXPECT_EQ(error_of({"-vo"}, Errc::usage), "--output needs a value: FORMAT");
  EXPECT_EQ(error_of({"--ping-interval", "10"}, Errc::usage),
            "--ping-interval \"10\": needs a unit: ms, s, m, h or d");
  EXPECT_EQ(error_of({"--verbose=perhaps"}, Errc::usage),
            "--verbose \"perhaps\": must be true or false");
  const std::string secret = error_of({"--secret-word", "hunter2"}, Errc::usage);
  EXPECT_EQ(secret, "--secret-word: is too short");
  EXPECT_LT(error_of({"--ping-interval", std::string(10'000, 'x')}, Errc::usage).size(), 300u);
  EXPECT_EQ(error_of({"--ping-interval", "\x1b[2J"}, Errc::usage).find('\x1b'), std::string::npos);
}

TEST_F(BaseFlags, FlagBeatsEnvironmentBeatsFile) {
  const std::string path = file("output = from-file\nlisten = f:1\nlisten = f:2\nquiet = yes\n");
  environment_ = {{"CLAWWS_OUTPUT", "from-env"}, {"CLAWWS_LISTEN", "e:1, e:2"}};
  auto outcome = parse({"--config", path, "--output", "from-flag", "--listen", "a:1"});
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(seen_["output"], Strings{"from-flag"});
  EXPECT_EQ(seen_["listen"], Strings{"a:1"}) << "sources must not be merged";
  EXPECT_EQ(seen_["quiet"], Strings{"true"});
  EXPECT_EQ(outcome->given["output"].origin, Origin::flag);
  EXPECT_EQ(outcome->given["quiet"].where, path + ":4");

  outcome = parse({"--config", path});
  EXPECT_EQ(seen_["output"], Strings{"from-env"});
  EXPECT_EQ(seen_["listen"], (Strings{"e:1", "e:2"}));
  EXPECT_EQ(outcome->given["output"].where, "CLAWWS_OUTPUT");
  EXPECT_EQ(outcome->given["listen"].origin, Origin::environment);

  environment_ = {{"CLAWWS_CONFIG", path}};
  outcome = parse({});
  EXPECT_EQ(seen_["output"], Strings{"from-file"});
  EXPECT_EQ(seen_["listen"], (Strings{"f:1", "f:2"}));
  EXPECT_EQ(outcome->given["listen"].origin, Origin::config_file);
}

TEST_F(BaseFlags, TogglesInEnvironmentAndFile) {
  for (const char* yes : {"true", "yes", "1", "on", "ON"}) {
    environment_ = {{"CLAWWS_VERBOSE", yes}};
    ASSERT_TRUE(parse({}));
    EXPECT_EQ(seen_["verbose"], Strings{"true"}) << yes;
  }
  for (const char* no : {"false", "no", "0", "off"}) {
    environment_ = {{"CLAWWS_VERBOSE", no}};
    ASSERT_TRUE(parse({}));
    EXPECT_FALSE(seen_.contains("verbose")) << no;
  }
  environment_ = {{"CLAWWS_VERBOSE", "true"}};
  ASSERT_TRUE(parse({"--verbose=false"}));
  EXPECT_FALSE(seen_.contains("verbose")) << "the flag beats the environment";
  ASSERT_TRUE(parse({"-vv", "--verbose=no"}));
  EXPECT_FALSE(seen_.contains("verbose")) << "the last word counts";
  environment_ = {{"CLAWWS_VERBOSE", "maybe"}};
  EXPECT_EQ(error_of({}, Errc::config), "CLAWWS_VERBOSE \"maybe\": must be true or false");
  environment_ = {{"CLAWWS_VERBOSE", ""}};
  EXPECT_FALSE(parse({})->given.contains("verbose"));
  environment_ = {{"CLAWWS_CHECK", "1"}};
  EXPECT_FALSE(parse({})->given.contains("check"));
  environment_ = {{"CLAWWS_WAIT", "true"}};
  ASSERT_TRUE(parse({}));
  EXPECT_EQ(seen_["wait"], Strings{""});
}

TEST_F(BaseFlags, ConfigFileForms) {
  const std::string path = file(
      "\xef\xbb\xbf# comment\r\n"
      "\r\n"
      "  output=a b # comment\n"
      "listen = \"quoted # value\"  # comment\n"
      "listen = 'single \\ quoted'\n"
      "listen = \"a \\\" and a \\\\\"\n"
      "listen = it's#fine\n"
      "wait = on");
  ASSERT_TRUE(parse({"--config", path}).has_value());
  EXPECT_EQ(seen_["output"], Strings{"a b"});
  EXPECT_EQ(seen_["listen"],
            (Strings{"quoted # value", "single \\ quoted", "a \" and a \\", "it's#fine"}));
  EXPECT_EQ(seen_["wait"], Strings{""});
}

TEST_F(BaseFlags, ConfigFileErrorsNameFileAndLine) {
  const auto error_in = [this](std::string_view content) {
    const std::string path = file(content);
    const std::string text = error_of({"--config", path}, Errc::config);
    EXPECT_EQ(text.substr(0, path.size()), path);
    return text.substr(std::min(path.size(), text.size()));
  };
  EXPECT_EQ(error_in("\n# x\nlisen = a\n"), ":3: unknown key \"lisen\"; did you mean \"listen\"?");
  EXPECT_EQ(error_in("elephant = a\n"), ":1: unknown key \"elephant\"");
  EXPECT_EQ(error_in("listen\n"), ":1: must be `name = value` or a comment that begins with #");
  EXPECT_EQ(error_in("check = true\n"),
            ":1: \"check\" cannot be set in a file; use the flag --check");
  EXPECT_NE(error_in("output = a\noutput = b\n").find(":2: \"output\" is already set at "),
            std::string::npos);
  EXPECT_NE(error_in("output =\n").find(":1: \"output\" has no value"), std::string::npos);
  EXPECT_EQ(error_in("output = \"a\n"), ":1: the closing quote is missing");
  EXPECT_EQ(error_in("output = \"a\" b\n"), ":1: text behind the closing quote");
  EXPECT_EQ(error_in("\nping-interval = 10\n"),
            ":2: ping-interval \"10\": needs a unit: ms, s, m, h or d");
  EXPECT_EQ(error_in("secret-word = hunter2\n"), ":1: secret-word: is too short");

  const std::string missing = error_of({"--config", (dir_.path() / "none").string()}, Errc::config);
  EXPECT_NE(missing.find((dir_.path() / "none").string() + ": No such file"), std::string::npos);
}

TEST_F(BaseFlags, HelpIsAlignedAndComplete) {
  spec_.epilog = "Exit status: 0 done.";
  spec_.example_flag = "ping-interval";
  spec_.example_value = "25s";
  add("a-very-long-name-of-an-option", 0, FlagKind::value, "WITH-A-LONG-VALUE",
      (std::string(60, 'w') + " " + std::string(60, 'w')).c_str());
  const auto outcome = parse({"--unknown", "--help"});
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->next, FlagOutcome::Next::print_and_exit);
  const std::string& text = outcome->output;
  EXPECT_EQ(text, help_text(spec_));
  for (const char* part :
       {"Serve live events.\n", "Usage: clawws serve [OPTIONS]\n", "\nMain:\n", "\nGeneral:\n",
        "  -l, --listen HOST:PORT          address to listen on (repeatable; default: "
        "127.0.0.1:8443)\n",
        "      --wait[=DUR]                wait for the server\n", "  -v, --verbose ",
        "CLAWWS_PING_INTERVAL", "--config FILE", "--print-config", "-h, --help", "-V, --version",
        "\nExit status: 0 done.\n"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
  for (const std::string_view line : split(text, '\n')) EXPECT_LE(line.size(), 100u) << line;
}

TEST_F(BaseFlags, HelpKeepsTheLettersOfTheTool) {
  add("host", 'h', FlagKind::value, "HOST", "a host");
  ASSERT_TRUE(parse({"-h", "here"}));
  EXPECT_EQ(seen_["host"], Strings{"here"});
  EXPECT_EQ(help_text(spec_).find("-h, --help"), std::string::npos);
}

TEST_F(BaseFlags, Version) {
  const auto outcome = parse({"--version"});
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->next, FlagOutcome::Next::print_and_exit);
  EXPECT_EQ(outcome->output, "clawws serve " + std::string(version()) + "\n");
}

TEST_F(BaseFlags, PrintConfigShowsValuesAndOrigins) {
  const std::string path = file("listen = a:1\nlisten = b:2 \noutput = 'a # b'\n");
  environment_ = {{"CLAWWS_VERBOSE", "1"}, {"CLAWWS_SECRET_WORD", "abracadabra"}};
  const auto outcome = parse({"--config", path, "--print-config", "--wait"});
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->next, FlagOutcome::Next::run);
  EXPECT_TRUE(outcome->print_config);
  const std::string text = print_config(spec_, *outcome);
  Strings lines;
  for (const std::string_view line : split(text, '\n')) {
    std::string squeezed;
    for (const char c : line) {
      if (c != ' ' || squeezed.empty() || squeezed.back() != ' ') squeezed += c;
    }
    lines.push_back(squeezed);
  }
  const Strings expected{"listen = a:1 # " + path + ":1",
                         "listen = b:2 # " + path + ":2",
                         "# ping-interval = 25s # default",
                         "output = \"a # b\" # " + path + ":3",
                         "verbose = true # CLAWWS_VERBOSE",
                         "# quiet = false # default",
                         "wait = true # --wait",
                         "# secret-word = (set) # CLAWWS_SECRET_WORD",
                         "# check = false # default",
                         "# config = " + path + " # --config",
                         ""};
  EXPECT_EQ(lines, expected);

  // What is printed is a config file that says the same.
  environment_.clear();
  ASSERT_TRUE(parse({"--config", file(text)}).has_value());
  EXPECT_EQ(seen_["listen"], (Strings{"a:1", "b:2"}));
  EXPECT_EQ(seen_["output"], Strings{"a # b"});
  EXPECT_EQ(seen_["verbose"], Strings{"true"});
  EXPECT_EQ(seen_["wait"], Strings{""});
}

}  // namespace
}  // namespace clawws::base
