// Both roles' contexts, driven against each other over a socket pair: versions, ALPN, and each
// reason for which a client refuses a server's certificate.
#include "clawws/net/tls_context.hpp"

#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include "clawws/net/certificate.hpp"
#include "support/temp_dir.hpp"

namespace clawws::net {
namespace {

using base::Errc;
using base::Result;
using Verify = ClientTlsConfig::Verify;

PemPair made(const std::vector<std::string>& names = {"localhost", "127.0.0.1"}, int days = 10) {
  return *make_self_signed(names, days);
}

struct Side {
  Side(SSL_CTX* context, int fd) : ssl(SSL_new(context)) { SSL_set_fd(ssl, fd); }
  ~Side() { SSL_free(ssl); }
  Side(const Side&) = delete;
  Side& operator=(const Side&) = delete;
  bool step() {
    const int result = SSL_do_handshake(ssl);
    if (result == 1) return true;
    const int why = SSL_get_error(ssl, result);
    failed = failed || (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE);
    if (failed) take_tls_error();
    return false;
  }
  SSL* ssl;
  bool failed = false;
};

// A handshake between two contexts; what each side sees of the other afterwards.
class Handshake {
 public:
  Handshake(const TlsContext& server_context, const TlsContext& client_context,
            const std::string& host = "localhost", int most_version = 0) {
    int ends[2] = {};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    ends_[0] = base::UniqueFd(ends[0]);
    ends_[1] = base::UniqueFd(ends[1]);
    server_ = std::make_unique<Side>(server_context.get(), ends[0]);
    client_ = std::make_unique<Side>(client_context.get(), ends[1]);
    SSL_set_accept_state(server_->ssl);
    SSL_set_connect_state(client_->ssl);
    set_expected_host(client_->ssl, host);
    if (most_version != 0) SSL_set_max_proto_version(client_->ssl, most_version);
  }
  bool run() {
    bool client_done = false;
    bool server_done = false;
    for (int turn = 0; turn < 20 && !(client_done && server_done); ++turn) {
      client_done = client_->step();
      server_done = server_->step();
      if (client_->failed || server_->failed) return false;
    }
    return client_done && server_done;
  }
  SSL* client() const { return client_->ssl; }
  SSL* server() const { return server_->ssl; }

 private:
  base::UniqueFd ends_[2];
  std::unique_ptr<Side> server_;
  std::unique_ptr<Side> client_;
};

// "" when the client trusts the server, else its words.
std::string verdict(const PemPair& pair, const ClientTlsConfig& config,
                    const std::string& host = "localhost") {
  const auto server = make_server_context(pair.certificate, pair.key, "server");
  const auto client = make_client_context(config);
  if (!server || !client) return "no context";
  Handshake handshake(*server, *client, host);
  if (!handshake.run()) return "no handshake";
  const Result<void> checked = check_server_certificate(handshake.client(), config, host);
  if (checked) return "";
  EXPECT_EQ(checked.error().code, Errc::tls);
  return checked.error().message();
}

TEST(NetTlsContext, SpeaksTheNewestVersionAndHttp) {
  const PemPair pair = made();
  const auto server = make_server_context(pair.certificate, pair.key, "server");
  ASSERT_TRUE(server.has_value()) << server.error().message();
  const auto client = make_client_context({});
  ASSERT_TRUE(client.has_value());
  Handshake handshake(*server, *client);
  ASSERT_TRUE(handshake.run());
  EXPECT_STREQ(SSL_get_version(handshake.server()), "TLSv1.3");
  EXPECT_STREQ(SSL_get_cipher_name(handshake.server()), "TLS_AES_128_GCM_SHA256");
  const unsigned char* protocol = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(handshake.server(), &protocol, &size);
  EXPECT_EQ(std::string_view(reinterpret_cast<const char*>(protocol), size), "http/1.1");
  EXPECT_STREQ(SSL_get_servername(handshake.server(), TLSEXT_NAMETYPE_host_name), "localhost");
}

TEST(NetTlsContext, OnePointTwoIsTheOldestThatIsSpoken) {
  const PemPair pair = made();
  const auto server = make_server_context(pair.certificate, pair.key, "server");
  const auto client = make_client_context({});
  Handshake twelve(*server, *client, "localhost", TLS1_2_VERSION);
  EXPECT_TRUE(twelve.run());
  EXPECT_STREQ(SSL_get_version(twelve.server()), "TLSv1.2");
  Handshake eleven(*server, *client, "localhost", TLS1_1_VERSION);
  EXPECT_FALSE(eleven.run());
  // Ciphers and security level would refuse it as well; the version must be enough.
  EXPECT_EQ(SSL_CTX_get_min_proto_version(server->get()), TLS1_2_VERSION);
  EXPECT_EQ(SSL_CTX_get_min_proto_version(client->get()), TLS1_2_VERSION);
}

// RFC 7301, section 3.2.
TEST(NetTlsContext, WhoSpeaksOnlyOtherProtocolsIsRefused) {
  const PemPair pair = made();
  const auto server = make_server_context(pair.certificate, pair.key, "server");
  const auto client = make_client_context({});
  const auto runs_with = [&](std::string_view protocols) {
    Handshake handshake(*server, *client);
    SSL_set_alpn_protos(handshake.client(),
                        reinterpret_cast<const unsigned char*>(protocols.data()),
                        static_cast<unsigned>(protocols.size()));
    return handshake.run();
  };
  EXPECT_FALSE(runs_with("\x02h2"));
  EXPECT_TRUE(runs_with("\x02h2\x08http/1.1"));
  EXPECT_TRUE(runs_with("")) << "without the extension there is nothing to refuse";
}

TEST(NetTlsContext, AnAddressIsNoServerName) {
  const PemPair pair = made();
  const auto server = make_server_context(pair.certificate, pair.key, "server");
  const auto client = make_client_context({});
  Handshake handshake(*server, *client, "127.0.0.1");
  ASSERT_TRUE(handshake.run());
  EXPECT_EQ(SSL_get_servername(handshake.server(), TLSEXT_NAMETYPE_host_name), nullptr);
}

TEST(NetTlsContext, AChainIsSentWhole) {
  const PemPair leaf = made();
  const PemPair link = made({"link.example"});
  const auto server = make_server_context(leaf.certificate + link.certificate, leaf.key, "server");
  ASSERT_TRUE(server.has_value());
  const auto client = make_client_context({});
  Handshake handshake(*server, *client);
  ASSERT_TRUE(handshake.run());
  EXPECT_EQ(sk_X509_num(SSL_get_peer_cert_chain(handshake.client())), 2);
}

TEST(NetTlsContext, AClientTrustsItsAuthoritiesForTheirNames) {
  const test::TempDir dir;
  const PemPair pair = made();
  ClientTlsConfig config;
  EXPECT_NE(verdict(pair, config).find("self-signed"), std::string::npos)
      << "the system knows nothing of it";
  config.ca_file = dir.write("ca.pem", pair.certificate).string();
  EXPECT_EQ(verdict(pair, config), "");
  EXPECT_EQ(verdict(pair, config, "127.0.0.1"), "");
  EXPECT_NE(verdict(pair, config, "panel.example").find("hostname mismatch"), std::string::npos);
  EXPECT_NE(verdict(pair, config, "127.0.0.2").find("IP address mismatch"), std::string::npos);
  EXPECT_NE(verdict(made(), config), "") << "another certificate with the same name";
}

TEST(NetTlsContext, ARefusalSaysWhoWhenAndWhatToDo) {
  const PemPair pair = made({"panel.example", "other.example"});
  const std::string words = verdict(pair, {}, "localhost");
  const auto facts = read_certificate(pair.certificate);
  for (const std::string& word :
       {std::string("localhost"), std::string("CN=panel.example"),
        std::string("panel.example, other.example"), facts->pin, std::string("--cacert")}) {
    EXPECT_NE(words.find(word), std::string::npos) << word << " in: " << words;
  }
}

TEST(NetTlsContext, PinsAndVerificationGoTogether) {
  const test::TempDir dir;
  const PemPair pair = made();
  const std::string pin = read_certificate(pair.certificate)->pin;
  const std::string wrong = read_certificate(made().certificate)->pin;
  const std::string ca = dir.write("ca.pem", pair.certificate).string();
  const auto with = [&](Verify verify, std::vector<std::string> pins,
                        const std::string& file = {}) {
    ClientTlsConfig config;
    config.verify = verify;
    config.pins = std::move(pins);
    config.ca_file = file;
    return verdict(pair, config);
  };
  EXPECT_EQ(with(Verify::pin_only, {pin}), "");
  EXPECT_EQ(with(Verify::pin_only, {wrong, pin}), "");
  EXPECT_NE(with(Verify::pin_only, {wrong}).find("not the pinned one"), std::string::npos);
  EXPECT_NE(with(Verify::pin_only, {}), "") << "without a pin nothing is enough";
  EXPECT_EQ(with(Verify::none, {}), "");
  EXPECT_EQ(with(Verify::none, {pin}), "");
  EXPECT_NE(with(Verify::none, {wrong}), "");
  EXPECT_EQ(with(Verify::full, {pin}, ca), "");
  EXPECT_NE(with(Verify::full, {wrong}, ca), "");
  EXPECT_NE(with(Verify::full, {pin}), "") << "a pin does not take the place of the chain";
}

TEST(NetTlsContext, BadServerFilesAreToldApart) {
  const PemPair pair = made();
  const auto words = [](const std::string& certificate, const std::string& key) {
    const auto context = make_server_context(certificate, key, "the files");
    if (context) return std::string();
    EXPECT_EQ(context.error().code, Errc::tls);
    EXPECT_EQ(context.error().message().rfind("the files: ", 0), 0U);
    return context.error().message();
  };
  EXPECT_EQ(words(pair.certificate, pair.key), "");
  EXPECT_NE(words("", pair.key).find("not a PEM certificate"), std::string::npos);
  EXPECT_NE(words(pair.certificate, "").find("not an unencrypted PEM private key"),
            std::string::npos);
  EXPECT_NE(words(pair.certificate, made().key).find("does not belong"), std::string::npos);
  EXPECT_NE(words(made({"localhost"}, -1).certificate, pair.key).find("expired"),
            std::string::npos);
}

TEST(NetTlsContext, BadClientFilesAreNamed) {
  const test::TempDir dir;
  const PemPair pair = made();
  const std::string certificate = dir.write("c.pem", pair.certificate).string();
  const std::string key = dir.write("k.pem", pair.key).string();
  const std::string words = dir.write("words", "words").string();
  const std::string other = dir.write("other.pem", made().key).string();
  const auto error_of = [](std::string ca, std::string own, std::string own_key) {
    ClientTlsConfig config;
    config.ca_file = std::move(ca);
    config.cert_file = std::move(own);
    config.key_file = std::move(own_key);
    const auto context = make_client_context(config);
    return context ? std::string() : context.error().message();
  };
  EXPECT_EQ(error_of({}, certificate, key), "");
  EXPECT_NE(error_of("/gone.pem", {}, {}).find("/gone.pem: No such file"), std::string::npos);
  EXPECT_NE(error_of({}, "/gone.pem", {}).find("/gone.pem: No such file"), std::string::npos);
  EXPECT_NE(error_of({}, certificate, "/gone.pem").find("/gone.pem: No such file"),
            std::string::npos);
  ClientTlsConfig config;
  config.ca_file = "/gone.pem";
  EXPECT_EQ(make_client_context(config).error().code, Errc::usage);
  config.ca_file = words;
  EXPECT_EQ(make_client_context(config).error().code, Errc::tls);
  EXPECT_NE(error_of(words, {}, {}).find(words), std::string::npos);
  EXPECT_NE(error_of({}, words, key).find(words), std::string::npos);
  EXPECT_NE(error_of({}, certificate, words).find(words), std::string::npos);
  EXPECT_NE(error_of({}, certificate, other).find(other), std::string::npos);
  EXPECT_EQ(error_of({}, dir.write("both.pem", pair.certificate + pair.key).string(), {}), "");
}

}  // namespace
}  // namespace clawws::net
