#include "clawws/bench/disturbance.hpp"

#include <csignal>

#include "clawws/base/time.hpp"

namespace clawws::bench {

std::optional<RunFailure> Disturbance::run() {
  if (!watch_.pause_until(schedule_.due(lost_at(setup_.plan)))) return std::nullopt;
  std::optional<RunFailure> failure;
  if (is_restart(setup_.plan.scenario))
    failure = restart();
  else if (setup_.plan.scenario == Scenario::resume)
    send_away();
  else
    drop_all();
  return failure;
}

void Disturbance::drop_all() {
  began_at_ = steady_now();
  for (Fleet* fleet : setup_.fleets) fleet->drop(fleet->size(), Fleet::Return::by_itself);
  wait_for_all();
}

// Each fleet gives its share. A signal lets them back at once: they are owed what they missed.
void Disturbance::send_away() {
  std::size_t left = setup_.plan.leavers;
  for (std::size_t i = 0; i < setup_.fleets.size(); ++i) {
    const std::size_t share = (left + setup_.fleets.size() - i - 1) / (setup_.fleets.size() - i);
    setup_.fleets[i]->drop(share, Fleet::Return::when_called);
    left -= share;
  }
  watch_.pause_until(schedule_.due(back_at(setup_.plan)));
  began_at_ = steady_now();
  for (Fleet* fleet : setup_.fleets) fleet->mark(Fleet::CatchUp::under_way);
  for (Fleet* fleet : setup_.fleets) fleet->call_back();
  wait_for_all();
  for (Fleet* fleet : setup_.fleets) fleet->mark(Fleet::CatchUp::over);
}

// Deaf to signals: a server that is half-way down must come up again for the account.
std::optional<RunFailure> Disturbance::restart() {
  const ServerControl& server = *setup_.control;
  const bool is_kill = setup_.plan.scenario == Scenario::restart_kill9;
  const std::string limit = base::format_duration(setup_.give_up);
  began_at_ = steady_now();
  server.end(is_kill ? SIGKILL : SIGTERM);
  if (!watch_.insist_until(began_at_ + setup_.give_up, server.has_ended))
    return RunFailure{
        base::info(base::Errc::connect_failed).exit_code,
        "the server did not end within " + limit + " after " + (is_kill ? "SIGKILL" : "SIGTERM"),
        0};
  if (const auto started = server.start(); !started)
    return RunFailure{base::info(started.error().code).exit_code, started.error().message(), 0};
  const bool is_up = watch_.insist_until(
      steady_now() + setup_.give_up, [&] { return server.is_listening() || server.has_ended(); });
  if (!is_up || server.has_ended())
    return RunFailure{base::info(base::Errc::connect_failed).exit_code,
                      is_up ? "the server ended when it was started again"
                            : "the server does not listen " + limit + " after its second start",
                      0};
  server_down_ = steady_now() - began_at_;
  wait_for_all();
  return std::nullopt;
}

void Disturbance::wait_for_all() {
  const auto sum = [this](auto member) {
    std::uint64_t total = 0;
    for (const Fleet* fleet : setup_.fleets) total += (fleet->progress().*member).load();
    return total;
  };
  // After a restart a client may not have noticed yet that its connection is gone.
  const std::uint64_t expected = is_restart(setup_.plan.scenario) ? setup_.clients : 0;
  const std::uint64_t last = setup_.plan.warm_up + setup_.plan.events - 1;
  watch_.wait_until(schedule_.due(last), [&] {
    return sum(&Fleet::Progress::lost) >= expected && sum(&Fleet::Progress::away) == 0;
  });
}

}  // namespace clawws::bench
