#include "clawws/client/output.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <system_error>

#include "support/eventually.hpp"
#include "support/temp_dir.hpp"

namespace clawws::client {
namespace {

using base::UniqueFd;
using test::eventually;

struct Pipe {
  Pipe() {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    reading.reset(ends[0]);
    writing.reset(ends[1]);
    ::fcntl(reading.get(), F_SETFL, O_NONBLOCK);
  }
  // What is there now.
  std::string read() {
    char buffer[65536];
    std::string text;
    for (ssize_t count; (count = ::read(reading.get(), buffer, sizeof buffer)) > 0;)
      text.append(buffer, static_cast<std::size_t>(count));
    return text;
  }
  UniqueFd reading, writing;
};

class ClientOutput : public testing::Test {
 protected:
  void SetUp() override { ::signal(SIGPIPE, SIG_IGN); }
  Output::Callbacks callbacks() {
    Output::Callbacks out;
    out.level = [this](Output::Level level) { (level == Output::Level::high ? highs : lows) += 1; };
    out.lost = [this](Output::Loss loss, const std::string& text) {
      reason = text;
      (loss == Output::Loss::reader_left ? left : failed) += 1;
    };
    out.drained = [this] { drained += 1; };
    return out;
  }

  Pipe data, notes;
  std::atomic<int> highs{0}, lows{0}, left{0}, failed{0}, drained{0};
  std::string reason;
};

TEST_F(ClientOutput, WritesEachStreamInOrder) {
  Output output({data.writing.get(), notes.writing.get()}, callbacks());
  std::string expected;
  for (int i = 0; i < 2000; ++i) {
    const std::string line = "line " + std::to_string(i) + "\n";
    output.data(line);
    if (i % 100 == 0) output.note("note\n");
    expected += line;
  }
  std::string got, noted;
  EXPECT_TRUE(eventually([&] { return (got += data.read()).size() >= expected.size(); }));
  EXPECT_EQ(got, expected);
  EXPECT_TRUE(eventually([&] { return (noted += notes.read()).size() >= 100; }));
}

TEST_F(ClientOutput, NotesPassAReaderThatIsStuck) {
  Output output({data.writing.get(), notes.writing.get()}, callbacks());
  output.data(std::string(1u << 20, 'x') + "\n");  // more than a pipe holds
  output.note("still here\n");
  std::string noted;
  EXPECT_TRUE(eventually([&] { return (noted += notes.read()) == "still here\n"; }));
}

TEST_F(ClientOutput, TellsWhenTooMuchWaitsAndWhenItHasDrained) {
  Output output({data.writing.get(), notes.writing.get(), 100'000}, callbacks());
  // In one call: the pipe takes a part at once, and what is left must not pass the mark a second
  // time.
  output.data(std::string(299'999, 'x') + "\n");
  EXPECT_EQ(highs, 1);
  // The pipe is full, and far more than the low mark still waits.
  const auto is_full = [&] {
    int waiting = 0;
    return ::ioctl(data.reading.get(), FIONREAD, &waiting) == 0 && waiting >= 60'000;
  };
  EXPECT_TRUE(eventually(is_full));
  EXPECT_EQ(lows, 0);
  std::size_t got = 0;
  EXPECT_TRUE(eventually([&] { return (got += data.read().size()) >= 300'000; }));
  EXPECT_TRUE(eventually([&] { return lows == 1; }));
  EXPECT_EQ(highs, 1);
}

TEST_F(ClientOutput, NoticesAReaderThatLeavesWhileNothingIsWritten) {
  Output output({data.writing.get(), notes.writing.get()}, callbacks());
  data.reading.reset();
  EXPECT_TRUE(eventually([&] { return left == 1; }, std::chrono::milliseconds(1000)));
  output.data("nobody reads this\n");
  output.when_drained();
  EXPECT_TRUE(eventually([&] { return drained == 1; }));
}

TEST_F(ClientOutput, NoticesAReaderThatLeavesInTheMiddle) {
  Output output({data.writing.get(), notes.writing.get()}, callbacks());
  output.data(std::string(1u << 20, 'x'));
  EXPECT_TRUE(eventually([&] { return !data.read().empty(); }));
  data.reading.reset();
  EXPECT_TRUE(eventually([&] { return left == 1; }));
}

TEST_F(ClientOutput, SaysWhyItCannotWrite) {
  const UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  Output output({full.get(), notes.writing.get()}, callbacks());
  output.data("x\n");
  EXPECT_TRUE(eventually([&] { return failed == 1; }));
  EXPECT_EQ(reason, "No space left on device");
  EXPECT_EQ(left, 0);
}

// What main puts in place of a stdout that was closed.
TEST_F(ClientOutput, AStdoutThatTakesNothingIsAFailure) {
  const UniqueFd readable(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  Output output({readable.get(), notes.writing.get()}, callbacks());
  output.data("x\n");
  EXPECT_TRUE(eventually([&] { return failed == 1; }));
  EXPECT_EQ(reason, "Bad file descriptor");
}

TEST_F(ClientOutput, LosingTheNotesIsNoReasonToEnd) {
  notes.reading.reset();
  Output output({data.writing.get(), notes.writing.get()}, callbacks());
  output.note("x\n");
  output.data("y\n");
  std::string got;
  EXPECT_TRUE(eventually([&] { return (got += data.read()) == "y\n"; }));
  EXPECT_EQ(left + failed, 0);
}

TEST_F(ClientOutput, NotesThatNobodyTakesAreCountedNotKept) {
  OutputConfig config{data.writing.get(), notes.writing.get()};
  config.notes_bytes = 200'000;
  auto told = callbacks();
  told.dropped_line = [](std::uint64_t count) { return std::to_string(count) + " dropped\n"; };
  Output output(config, told);
  std::string line(100, 'n');
  line.back() = '\n';
  constexpr std::size_t k_given = 10'000;  // 1 MB; a pipe holds 64 KiB
  for (std::size_t i = 0; i < k_given; ++i) output.note(line);
  output.note("the end\n", Output::Keep::always);
  std::string got;
  EXPECT_TRUE(eventually([&] { return (got += notes.read()).ends_with("the end\n"); }));
  EXPECT_LE(got.size(), 300'000u);
  const auto taken = static_cast<std::size_t>(std::count(got.begin(), got.end(), 'n')) / 99;
  const std::string expected = "\n" + std::to_string(k_given - taken) + " dropped\nthe end\n";
  EXPECT_TRUE(got.ends_with(expected)) << got.substr(got.size() - 100) << taken;
  // It takes them again.
  output.note("later\n");
  EXPECT_TRUE(eventually([&] { return (got += notes.read()).ends_with("later\n"); }));
}

TEST_F(ClientOutput, SaysWhereNotesAreMissingOnceTheyAreTakenAgain) {
  OutputConfig config{data.writing.get(), notes.writing.get()};
  config.notes_bytes = 100'000;
  auto told = callbacks();
  told.dropped_line = [](std::uint64_t count) { return std::to_string(count) + " dropped\n"; };
  Output output(config, told);
  output.note(std::string(99'999, 'x') + "\n");
  output.note(std::string(99'999, 'x') + "\n");
  output.note("x\n");
  std::string got;
  EXPECT_TRUE(eventually([&] { return (got += notes.read()).ends_with("dropped\n"); }));
  EXPECT_EQ(got, std::string(99'999, 'x') + "\n2 dropped\n");
}

TEST_F(ClientOutput, WithoutADescriptorItIsNotMade) {
#ifdef __SANITIZE_ADDRESS__
  // UndefinedBehaviorSanitizer opens a pipe to look at the object that is caught, and takes it for none without.
  GTEST_SKIP() << "the sanitizer needs a descriptor of its own";
#endif
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const UniqueFd next(::dup(notes.writing.get()));
  const rlimit none{static_cast<rlim_t>(next.get()), before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  EXPECT_THROW(Output({data.writing.get(), notes.writing.get()}, callbacks()), std::system_error);
  EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
}

TEST_F(ClientOutput, IsDestroyedWhileItsReaderIsStuck) {
  const Output output({data.writing.get(), notes.writing.get()}, callbacks());
  const_cast<Output&>(output).data(std::string(1u << 20, 'x'));
}

TEST_F(ClientOutput, OnOneScreenEverythingStandsInOrder) {
  Output output({data.writing.get(), data.writing.get()}, callbacks());
  std::string expected;
  for (int i = 0; i < 500; ++i) {
    output.data("event " + std::to_string(i) + "\n");
    expected += "event " + std::to_string(i) + "\n";
    if (i % 3 == 0) {
      output.note("note " + std::to_string(i) + "\n");
      expected += "note " + std::to_string(i) + "\n";
    }
  }
  std::string got;
  EXPECT_TRUE(eventually([&] { return (got += data.read()).size() >= expected.size(); }));
  EXPECT_EQ(got, expected);
}

TEST_F(ClientOutput, TheStatusLineLeavesBeforeAnEvent) {
  Output output({data.writing.get(), data.writing.get()}, callbacks());
  std::string got;
  output.status("[live]");
  EXPECT_TRUE(eventually([&] { return (got += data.read()) == "\r\x1b[K[live]"; }));
  output.data("event\n");
  EXPECT_TRUE(eventually([&] { return (got += data.read()) == "\r\x1b[K[live]\r\x1b[Kevent\n"; }));
  // It comes back with the next call, even when it says the same.
  output.status("[live]");
  EXPECT_TRUE(eventually([&] { return (got += data.read()).ends_with("event\n\r\x1b[K[live]"); }));
  output.status("");
  output.when_drained();
  EXPECT_TRUE(eventually([&] { return drained == 1; }));
  EXPECT_TRUE((got += data.read()).ends_with("[live]\r\x1b[K")) << got;
}

TEST_F(ClientOutput, WritesToFiles) {
  const test::TempDir dir;
  const auto path = dir.write("out", "");
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  const std::string text(300'000, 'x');
  Output output({file.get(), notes.writing.get()}, callbacks());
  output.data(text);
  output.when_drained();
  EXPECT_TRUE(eventually([&] { return drained == 1; }));
  EXPECT_EQ(base::read_file(path).value(), text);
}

}  // namespace
}  // namespace clawws::client
