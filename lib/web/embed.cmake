# cmake -DFOLDER=lib/web -DOUT=web_files.cpp -P embed.cmake: writes the dashboard's files as bytes of the library.
file(GLOB files RELATIVE ${FOLDER} ${FOLDER}/*.html ${FOLDER}/*.css ${FOLDER}/*.js ${FOLDER}/*.svg)
list(SORT files)
set(arrays "")
set(entries "")
set(number 0)
foreach(file ${files})
  file(READ ${FOLDER}/${file} hex HEX)
  file(SHA256 ${FOLDER}/${file} sum)
  string(SUBSTRING ${sum} 0 16 tag)
  string(LENGTH "${hex}" digits)
  math(EXPR size "${digits} / 2")
  # 32 bytes a line, so that compilers and editors are not given one of 100 KB.
  string(REGEX REPLACE "(................................................................)" "\\1\n" hex "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(APPEND arrays "constexpr unsigned char k_bytes_${number}[] = {\n${bytes}};\n")
  string(APPEND entries "    {\"${file}\", \"\\\"${tag}\\\"\", {reinterpret_cast<const char*>(k_bytes_${number}), ${size}}},\n")
  math(EXPR number "${number} + 1")
endforeach()
file(WRITE ${OUT} "// Made by lib/web/embed.cmake.
#include \"clawws/server/web_files.hpp\"

namespace clawws::server {
namespace {
${arrays}
const WebFile k_files[] = {
${entries}};
}  // namespace

std::span<const WebFile> web_files() noexcept { return k_files; }

}  // namespace clawws::server
")
