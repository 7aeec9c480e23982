#include "clawws/client/netrc.hpp"

#include "clawws/base/text.hpp"

namespace clawws::client {
namespace {

using base::Errc;
using base::Error;
using base::Result;

class Words {
 public:
  explicit Words(std::string_view text) : rest_(text) {}

  // The next word; nothing at the end.
  Result<std::optional<std::string>> next() {
    skip_space_and_comments();
    if (rest_.empty()) return std::optional<std::string>();
    if (rest_.front() == '"') return quoted_word();
    const std::size_t end = std::min(rest_.find_first_of(" \t\r\n"), rest_.size());
    std::optional<std::string> word(std::string(rest_.substr(0, end)));
    rest_.remove_prefix(end);
    return word;
  }

  // The value that a keyword needs.
  Result<std::string> value_of(const std::string& keyword) {
    auto word = next();
    if (!word) return word.error();
    if (!*word) return error("'" + keyword + "' without a value");
    return std::move(**word);
  }

  // A macro definition ends with an empty line.
  void skip_macro() {
    const std::size_t end = rest_.find("\n\n");
    drop(end == std::string_view::npos ? rest_.size() : end);
  }

  Error error(const std::string& what) const {
    return Error(Errc::config, "line " + std::to_string(line_) + ": " + what);
  }

 private:
  void drop(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
      if (rest_[i] == '\n') ++line_;
    rest_.remove_prefix(count);
  }

  void skip_space_and_comments() {
    for (;;) {
      drop(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size()));
      if (rest_.empty() || rest_.front() != '#') return;
      drop(std::min(rest_.find('\n'), rest_.size()));
    }
  }

  Result<std::optional<std::string>> quoted_word() {
    std::string word;
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      char c = rest_[i];
      if (c == '"') {
        drop(i + 1);
        return std::optional<std::string>(std::move(word));
      }
      if (c == '\n') break;
      if (c == '\\' && i + 1 < rest_.size()) {
        c = rest_[++i];
        if (c == 'n') c = '\n';
        if (c == 'r') c = '\r';
        if (c == 't') c = '\t';
      }
      word.push_back(c);
    }
    return error("a quote that does not end on its line");
  }

  std::string_view rest_;
  int line_ = 1;
};

struct Block {
  bool relevant = false;
  std::optional<std::string> login;
  std::optional<Secret> password;
};

// True when the block is an answer.
bool answers(const Block& block, const std::optional<std::string>& user) {
  return block.relevant && block.password && (!user || block.login == user);
}

NetrcEntry entry_of(Block& block) {
  return NetrcEntry{block.login.value_or(""), std::move(*block.password)};
}

}  // namespace

Result<std::optional<NetrcEntry>> find_in_netrc(std::string_view text, std::string_view host,
                                                const std::optional<std::string>& user) {
  Words words(text);
  Block block;
  for (;;) {
    auto word = words.next();
    if (!word) return word.error();
    const bool ends_block =
        !*word || **word == "machine" || **word == "default" || **word == "macdef";
    if (ends_block && answers(block, user)) return std::optional<NetrcEntry>(entry_of(block));
    if (!*word) return std::optional<NetrcEntry>();
    const std::string& keyword = **word;
    if (keyword == "default") {
      block = Block{true, {}, {}};
      continue;
    }
    auto value = words.value_of(keyword);
    if (!value) return value.error();
    if (keyword == "machine") {
      block = Block{base::iequals(*value, host), {}, {}};
    } else if (keyword == "login") {
      block.login = std::move(*value);
    } else if (keyword == "password") {
      block.password = Secret(std::move(*value));
    } else if (keyword == "macdef") {
      block = Block{};
      words.skip_macro();
    } else if (keyword != "account") {
      return words.error("unknown word '" + base::escape_terminal(keyword.substr(0, 32)) + "'");
    }
  }
}

}  // namespace clawws::client
