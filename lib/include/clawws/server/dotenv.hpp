// Reads a .env file as the dotenv package of Node.js does: `KEY=value`, `export KEY=value`, values
// in single, double or back quotes (over several lines, too), `#` comments, CRLF. Pure function.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace clawws::server {

// The last of equal keys wins. Lines that are no assignment are skipped, as dotenv does.
std::map<std::string, std::string, std::less<>> parse_dotenv(std::string_view content);

}  // namespace clawws::server
