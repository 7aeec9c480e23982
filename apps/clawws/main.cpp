// clawws: finds a tool (clawws-serve, clawws-tail, clawws-bench) and becomes it with execv, so that
// process id, signals and exit code are the tool's own. std and POSIX only: it starts in a
// millisecond and works even when the library beside it does not load.
//
// A tool is looked for in $CLAWWS_EXEC_PATH, then in the directory of this executable (symlinks
// resolved), then in the libexec directory of the same installation, wherever that was moved to.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

namespace fs = std::filesystem;

struct Tool {
  std::string_view name;
  std::string_view summary;
};
constexpr std::array k_tools{
    Tool{"serve", "broadcast events to everyone who is connected (HTTPS and WSS)"},
    Tool{"tail", "show events as they happen, and resume after a lost connection"},
    Tool{"bench", "measure what a server delivers, and how fast"},
};

enum Exit : int { exit_ok = 0, exit_failure = 1, exit_usage = 2 };

std::vector<fs::path> search_directories() {
  std::vector<fs::path> found;
  if (const char* given = std::getenv("CLAWWS_EXEC_PATH"); given != nullptr && *given != '\0')
    found.emplace_back(given);
  std::error_code failed;
  const fs::path self = fs::read_symlink("/proc/self/exe", failed);
  if (!failed) {
    found.push_back(self.parent_path());
    found.push_back((self.parent_path() / CLAWWS_LIBEXEC_FROM_BIN).lexically_normal());
  }
  return found;
}

std::optional<fs::path> find_tool(std::string_view name) {
  for (const fs::path& directory : search_directories()) {
    fs::path candidate = directory / ("clawws-" + std::string(name));
    std::error_code ignored;  // what cannot be looked at is not there
    if (fs::is_regular_file(candidate, ignored) && access(candidate.c_str(), X_OK) == 0)
      return candidate;
  }
  return std::nullopt;
}

void print_help(std::FILE* out) {
  std::fputs("Live events over secure WebSockets.\n\nUsage: clawws TOOL [OPTIONS]\n\nTools:\n",
             out);
  for (const Tool& tool : k_tools)
    if (find_tool(tool.name))
      std::fprintf(out, "  %-7s %s\n", tool.name.data(), tool.summary.data());
  std::fputs(
      "\nclawws help TOOL, clawws TOOL --help   what a tool does and its options\n"
      "clawws help protocol                   what goes over the wire\n"
      "clawws --version                       the version\n"
      "\nStart with 'clawws serve' in one terminal and 'clawws tail' in another.\n",
      out);
}

// Levenshtein distance: single-character insertions, deletions and replacements.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, diagonal + 1, row[j] + 1});
    }
  }
  return row.back();
}

int unknown(const std::string& what) {
  std::vector<std::string_view> known{"help", "--help", "--version"};
  for (const Tool& tool : k_tools)
    if (find_tool(tool.name)) known.push_back(tool.name);
  std::string nearest;
  std::size_t least = 3;  // more than two slips apart is another word
  for (const std::string_view name : known)
    if (const std::size_t d = distance(what, name); d < std::min(least, name.size() - 1)) {
      least = d;
      nearest = "; did you mean '" + std::string(name) + "'?";
    }
  std::fprintf(stderr, "clawws: unknown %s '%s'%s\nTry 'clawws --help'.\n",
               what.starts_with('-') ? "option" : "tool", what.c_str(), nearest.c_str());
  return exit_usage;
}

// Becomes `program`; returns only when that failed.
int become(const fs::path& program, char* const* argv) {
  execv(program.c_str(), argv);
  std::fprintf(stderr, "clawws: cannot execute %s: %s\n", program.c_str(), std::strerror(errno));
  return exit_failure;
}

// Where the manual page "man7/clawws-protocol.7" of this installation stands, if it does.
fs::path manual_page(const std::string& name) {
  std::error_code ignored;  // then there is none
  return (fs::read_symlink("/proc/self/exe", ignored).parent_path() / CLAWWS_MAN_FROM_BIN / name)
      .lexically_normal();
}

// Becomes man(1) when the page is there; returns when it is not, or man is not.
void show_page(const fs::path& page) {
  std::error_code ignored;
  if (fs::exists(page, ignored)) execlp("man", "man", page.c_str(), nullptr);
}

int help_on_protocol() {
  const fs::path page = manual_page("man7/clawws-protocol.7");
  show_page(page);
  std::error_code ignored;
  if (fs::exists(page, ignored))
    std::fprintf(stderr, "clawws: cannot execute man: %s; the page is %s\n", std::strerror(errno),
                 page.c_str());
  else
    std::fprintf(stderr, "clawws: the manual page clawws-protocol(7) is not installed: no %s\n",
                 page.c_str());
  return exit_failure;
}

// The installed manual page when there is one and a program to show it, else the tool's --help.
int help_for(const std::string& name) {
  if (name == "help" || name == "--help" || name == "-h") return print_help(stdout), exit_ok;
  if (name == "protocol") return help_on_protocol();
  const std::optional<fs::path> tool = find_tool(name);
  if (!tool) return unknown(name);
  show_page(manual_page("man1/clawws-" + name + ".1"));
  std::string program = "clawws-" + name, option = "--help";
  char* const argv[] = {program.data(), option.data(), nullptr};
  return become(*tool, argv);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string word = argc > 1 ? argv[1] : "";
  if (word.empty()) return print_help(stderr), exit_usage;
  if (word == "help" && argc > 2) return help_for(argv[2]);
  if (word == "help" || word == "--help" || word == "-h") return print_help(stdout), exit_ok;
  if (word == "--version" || word == "-V") return std::puts("clawws " CLAWWS_VERSION), exit_ok;
  const bool is_tool = std::any_of(k_tools.begin(), k_tools.end(),
                                   [&](const Tool& tool) { return tool.name == word; });
  if (!is_tool) return unknown(word);
  if (const std::optional<fs::path> tool = find_tool(word)) {
    std::string name = "clawws-" + word;  // what ps shows
    argv[1] = name.data();
    return become(*tool, argv + 1);
  }
  std::fprintf(stderr, "clawws: '%s' is not installed: no clawws-%s in", word.c_str(),
               word.c_str());
  for (const fs::path& directory : search_directories())
    std::fprintf(stderr, " %s", directory.c_str());
  std::fputs("\nInstall it there, or name its directory in CLAWWS_EXEC_PATH.\n", stderr);
  return exit_failure;
}
