/*
 * Nothing in; every function called as it must not be, and as it may be, out: the line of what went otherwise than the header
 * says, and exit code 1, or nothing and 0.
 */
#define _POSIX_C_SOURCE 200809L

#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ssa_client.h>

#define EXPECT(condition)                                                                                                       \
    do {                                                                                                                        \
        if (!(condition)) {                                                                                                     \
            fprintf(stderr, "line %d: not so: %s\n", __LINE__, #condition);                                                      \
            exit(1);                                                                                                            \
        }                                                                                                                       \
    } while (0)

/* The call ends so, and the message says it, or nothing where all is well. */
#define ENDS(expected, words, call)                                                                                             \
    do {                                                                                                                        \
        memset(message.text, 'x', sizeof message.text);                                                                         \
        ssa_status status = (call);                                                                                             \
        if (status != (expected) || !memchr(message.text, 0, sizeof message.text) || !strstr(message.text, words) ||             \
            (status == SSA_OK) != (message.text[0] == 0)) {                                                                     \
            fprintf(stderr, "line %d: %d \"%.512s\": %s\n", __LINE__, (int)status, message.text, #call);                          \
            exit(1);                                                                                                            \
        }                                                                                                                       \
    } while (0)

static const char prefix[] = "2001:db8:a::/64", record[] = "v=1 rule=src(0):64";
static const uint8_t zeros[16], source[16] = {0x20, 1, 0x0d, 0xb8, 0, 0x77, 0, 1};

static ssa_message message;

static ssa_selector *selector_of(const char *prefixes, const char *rule) {
    ssa_service *service = NULL;
    ssa_selector *selector = NULL;
    ENDS(SSA_OK, "", ssa_service_new("svc", prefixes, rule, &service, &message));
    ENDS(SSA_OK, "", ssa_selector_new(service, NULL, 0, &selector, &message));
    /* The selector does not need it. */
    ssa_service_free(service);
    return selector;
}

static void structures(void) {
    EXPECT(sizeof(ssa_message) == 512 && sizeof(ssa_prefix) == 17 && sizeof(ssa_key) == 20);
    EXPECT(ssa_client_abi_version() == SSA_CLIENT_ABI);
    for (int32_t status = SSA_OK; status <= SSA_INTERNAL; status++)
        EXPECT(ssa_status_text(status) != NULL && ssa_status_text(status)[0] != 0);
    EXPECT(!ssa_status_text(-1) && !ssa_status_text(SSA_INTERNAL + 1) && !ssa_status_text(INT32_MIN));
}

static void services(void) {
    ssa_service *service = (ssa_service *)&message;
    ssa_prefix one;
    ENDS(SSA_INVALID, "name is NULL", ssa_service_new(NULL, prefix, record, &service, &message));
    EXPECT(service == NULL);
    ENDS(SSA_INVALID, "prefixes is NULL", ssa_service_new("svc", NULL, record, &service, &message));
    ENDS(SSA_INVALID, "record is NULL", ssa_service_new("svc", prefix, NULL, &service, &message));
    ENDS(SSA_INVALID, "service", ssa_service_new("svc", prefix, record, NULL, &message));
    EXPECT(ssa_service_new(NULL, NULL, NULL, NULL, NULL) == SSA_INVALID);
    ENDS(SSA_INVALID, "not UTF-8", ssa_service_new("sv\xff", prefix, record, &service, &message));
    ENDS(SSA_INVALID, "not UTF-8", ssa_service_new("svc", "2001:db8::\xc3/64", record, &service, &message));
    ENDS(SSA_INVALID, "not UTF-8", ssa_service_new("svc", prefix, "v=1 \x80", &service, &message));
    ENDS(SSA_INVALID, "2001:db8::/64 is meant", ssa_service_new("svc", "2001:db8::1/64", record, &service, &message));
    ENDS(SSA_INVALID, "no prefix", ssa_service_new("svc", "2001:db8::/129", record, &service, &message));
    ENDS(SSA_INVALID, "no prefix", ssa_service_new("svc", "", record, &service, &message));
    ENDS(SSA_NOT_UNDERSTOOD, "version", ssa_service_new("svc", prefix, "v=2 rule=any:*", &service, &message));
    ENDS(SSA_NOT_UNDERSTOOD, "`\\u{1b}[2J`", ssa_service_new("svc", prefix, "v=1 rule=\033[2J:1", &service, &message));
    EXPECT(service == NULL);

    ENDS(SSA_OK, "", ssa_service_new("svc", "2001:db8:a::/64 !2001:db8:a:0:8000::/65", record, &service, &message));
    EXPECT(strcmp(ssa_service_name(service), "svc") == 0 && strcmp(ssa_service_rule(service), "src(0):64") == 0);
    EXPECT(ssa_service_prefix_count(service) == 1 && ssa_service_excluded_count(service) == 1);
    ENDS(SSA_OK, "", ssa_service_prefix(service, 0, &one, &message));
    EXPECT(one.length == 64 && one.address[5] == 0x0a && memcmp(one.address + 6, zeros, 10) == 0);
    ENDS(SSA_OK, "", ssa_service_excluded(service, 0, &one, &message));
    EXPECT(one.length == 65 && one.address[8] == 0x80);
    ENDS(SSA_INVALID, "counted from 0", ssa_service_prefix(service, 1, &one, &message));
    EXPECT(one.length == 0 && memcmp(one.address, zeros, 16) == 0);
    ENDS(SSA_INVALID, "counted from 0", ssa_service_excluded(service, SIZE_MAX, &one, &message));
    ENDS(SSA_INVALID, "NULL", ssa_service_prefix(service, 0, NULL, &message));
    EXPECT(ssa_service_port(service) == 0 && ssa_service_ttl(service) == UINT64_MAX);
    EXPECT(ssa_service_authenticated(service) == 0);
    ssa_service_free(service);

    ENDS(SSA_INVALID, "service is NULL", ssa_service_prefix(NULL, 0, &one, &message));
    EXPECT(!ssa_service_name(NULL) && !ssa_service_rule(NULL) && !ssa_service_prefix_count(NULL));
    EXPECT(!ssa_service_excluded_count(NULL) && !ssa_service_port(NULL) && !ssa_service_ttl(NULL));
    ssa_service_free(NULL);
}

/* What is longer than a message is cut, and no octet is written behind it. */
static void messages(void) {
    struct {
        ssa_message message;
        char behind[16];
    } both;
    char *text = malloc(100001);
    ssa_service *service;
    EXPECT(text != NULL);
    memset(text, 'a', 100000);
    text[100000] = 0;
    memset(&both, 'x', sizeof both);
    EXPECT(ssa_service_new("svc", text, record, &service, &both.message) == SSA_INVALID);
    EXPECT(strlen(both.message.text) == sizeof both.message.text - 1 && both.behind[0] == 'x');
    free(text);
}

static void keys(void) {
    /* Octets that begin where no number would. */
    unsigned char octets[1 + 2 * sizeof(ssa_key)];
    ssa_key ring[2] = {{.number = 7, .secret = {7}}, {.number = 8, .secret = {8}}};
    ssa_service *service = NULL;
    ssa_selector *selector = NULL, *other = NULL;
    uint8_t one[16], two[16];
    memcpy(octets + 1, ring, sizeof ring);
    ENDS(SSA_OK, "", ssa_service_new("svc", prefix, "v=1 rule=const(0x0):16 mac(48,key=k1):48", &service, &message));
    ENDS(SSA_NO_KEY, "k1", ssa_selector_new(service, NULL, 0, &selector, &message));
    EXPECT(selector == NULL);
    ENDS(SSA_NO_KEY, "k1", ssa_selector_new(service, ring, 0, &selector, &message));
    ENDS(SSA_INVALID, "keys is NULL", ssa_selector_new(service, NULL, 2, &selector, &message));
    ENDS(SSA_INVALID, "is the most", ssa_selector_new(service, ring, SIZE_MAX, &selector, &message));
    ENDS(SSA_INVALID, "service is NULL", ssa_selector_new(NULL, ring, 2, &selector, &message));
    ENDS(SSA_INVALID, "NULL", ssa_selector_new(service, ring, 2, NULL, &message));
    ENDS(SSA_OK, "", ssa_selector_new(service, ring, 2, &selector, &message));
    ENDS(SSA_OK, "", ssa_selector_new(service, (const ssa_key *)(const void *)(octets + 1), 2, &other, &message));
    memset(ring, 0, sizeof ring);
    memset(octets, 0, sizeof octets);
    ENDS(SSA_OK, "", ssa_selector_address(selector, source, NULL, 0, 1, NULL, NULL, one, &message));
    ENDS(SSA_OK, "", ssa_selector_address(other, source, NULL, 0, 1, NULL, NULL, two, &message));
    EXPECT(memcmp(one, two, 16) == 0 && memcmp(one + 10, zeros, 6) != 0);
    ssa_selector_free(selector);
    ssa_selector_free(other);
    ssa_service_free(service);
}

struct search {
    uint64_t calls, last;
};

/* Gives up at the second call. */
static int32_t give_up(uint64_t attempts, void *context) {
    struct search *search = context;
    EXPECT(attempts > search->last);
    search->last = attempts;
    return ++search->calls == 2;
}

static void addresses(void) {
    ssa_selector *selector = selector_of(prefix, record);
    uint8_t address[16], id[16];
    ENDS(SSA_INVALID, "selector is NULL", ssa_selector_address(NULL, source, NULL, 0, 1, NULL, NULL, address, &message));
    EXPECT(memcmp(address, zeros, 16) == 0);
    ENDS(SSA_INVALID, "source is NULL", ssa_selector_address(selector, NULL, NULL, 0, 1, NULL, NULL, address, &message));
    ENDS(SSA_INVALID, "NULL", ssa_selector_address(selector, source, NULL, 0, 1, NULL, NULL, NULL, &message));
    /* The source's own place will do for the address. */
    memcpy(address, source, 16);
    ENDS(SSA_OK, "", ssa_selector_address(selector, address, NULL, 0, 1, NULL, NULL, address, &message));
    EXPECT(address[5] == 0x0a && memcmp(address + 8, source, 8) == 0);
    EXPECT(ssa_selector_replicas(selector) == 1 && ssa_selector_replicas(NULL) == 0);
    EXPECT(ssa_selector_valid_until(selector, 1) == UINT64_MAX && ssa_selector_epoch_end(selector, 1) == UINT64_MAX);
    EXPECT(ssa_selector_valid_until(NULL, 1) == 0 && ssa_selector_epoch_end(NULL, 1) == 0);
    ssa_selector_free(selector);

    selector = selector_of(prefix, "v=1 skew=3 rule=replica(3):4 object(68):52 pow(64,zeros=1,period=30s):8");
    EXPECT(ssa_selector_replicas(selector) == 3);
    EXPECT(ssa_selector_epoch_end(selector, 31) == 60 && ssa_selector_valid_until(selector, 31) == 63);
    EXPECT(ssa_selector_epoch_end(selector, UINT64_MAX) == UINT64_MAX);
    ENDS(SSA_OK, "", ssa_object_id("17", id, &message));
    EXPECT(id[15] == 17 && memcmp(id, zeros, 15) == 0);
    ENDS(SSA_INVALID, "object id", ssa_object_id("0x17", id, &message));
    ENDS(SSA_INVALID, "text is NULL", ssa_object_id(NULL, id, &message));
    ENDS(SSA_NO_SUCH_OBJECT, "object", ssa_selector_address(selector, source, NULL, 0, 1, NULL, NULL, address, &message));
    ENDS(SSA_NO_SUCH_OBJECT, "0 to 2", ssa_selector_address(selector, source, id, 3, 1, NULL, NULL, address, &message));
    ENDS(SSA_OK, "", ssa_selector_address(selector, source, id, 2, UINT64_MAX, NULL, NULL, address, &message));
    EXPECT(address[8] >> 4 == 2);
    ssa_selector_free(selector);

    struct search search = {0, 0};
    selector = selector_of(prefix, "v=1 rule=pow(64,zeros=40):64");
    ENDS(SSA_CANCELLED, "given up", ssa_selector_address(selector, source, NULL, 0, 1, give_up, &search, address, &message));
    EXPECT(search.calls == 2);
    ssa_selector_free(selector);
    ssa_selector_free(NULL);

    ssa_service *service = NULL;
    ENDS(SSA_OK, "", ssa_service_new("svc", "2001:db8::/48", record, &service, &message));
    ENDS(SSA_NOT_UNDERSTOOD, "does not fit", ssa_selector_new(service, NULL, 0, &selector, &message));
    ssa_service_free(service);
    ENDS(SSA_OK, "", ssa_service_new("svc", "2001:db8:a::/64 !2001:db8::/32", record, &service, &message));
    ENDS(SSA_NO_ADDRESS, "anything is left", ssa_selector_new(service, NULL, 0, &selector, &message));
    ssa_service_free(service);
}

/* A socket of this host, and its port. */
static int listen_at_loopback(int type, uint16_t *port) {
    struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    socklen_t length = sizeof at;
    int fd = socket(AF_INET6, type, 0);
    EXPECT(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0);
    EXPECT(type != SOCK_STREAM || listen(fd, 16) == 0);
    EXPECT(getsockname(fd, (struct sockaddr *)&at, &length) == 0);
    *port = ntohs(at.sin6_port);
    return fd;
}

/* A resolver whose server never says anything. */
static ssa_resolver *resolver_of_silence(int *server) {
    ssa_resolver *resolver = NULL;
    uint16_t port;
    char text[32];
    *server = listen_at_loopback(SOCK_DGRAM, &port);
    snprintf(text, sizeof text, "[::1]:%u ::1#%u", (unsigned)port, (unsigned)port);
    ENDS(SSA_OK, "", ssa_resolver_new(text, SSA_DNSSEC_REQUIRED, NULL, &resolver, &message));
    return resolver;
}

static void resolvers(void) {
    int server;
    ssa_resolver *resolver = NULL;
    ssa_service *service = (ssa_service *)&message;
    ENDS(SSA_INVALID, "no name server", ssa_resolver_new("localhost", SSA_DNSSEC_IGNORED, NULL, &resolver, &message));
    ENDS(SSA_INVALID, "no name server", ssa_resolver_new("::1#0", SSA_DNSSEC_IGNORED, NULL, &resolver, &message));
    ENDS(SSA_INVALID, "none", ssa_resolver_new(" ", SSA_DNSSEC_IGNORED, NULL, &resolver, &message));
    ENDS(SSA_INVALID, "0, 1 and 2", ssa_resolver_new("::1", 3, NULL, &resolver, &message));
    ENDS(SSA_INVALID, "anchors", ssa_resolver_new("::1", SSA_DNSSEC_REQUIRED, "/does/not/exist", &resolver, &message));
    ENDS(SSA_INVALID, "regular", ssa_resolver_new("::1", SSA_DNSSEC_REQUIRED, "/dev/zero", &resolver, &message));
    ENDS(SSA_INVALID, "regular", ssa_resolver_new("::1", SSA_DNSSEC_IGNORED, "/dev/null", &resolver, &message));
    ENDS(SSA_INVALID, "not UTF-8", ssa_resolver_new("\xff", SSA_DNSSEC_IGNORED, NULL, &resolver, &message));
    ENDS(SSA_INVALID, "NULL", ssa_resolver_new("::1", SSA_DNSSEC_IGNORED, NULL, NULL, &message));
    EXPECT(resolver == NULL);
    resolver = resolver_of_silence(&server);
    ENDS(SSA_INVALID, "resolver is NULL", ssa_resolve(NULL, "svc.example", 1, &service, &message));
    ENDS(SSA_INVALID, "name is NULL", ssa_resolve(resolver, NULL, 1, &service, &message));
    ENDS(SSA_INVALID, "not UTF-8", ssa_resolve(resolver, "\xc3", 1, &service, &message));
    ENDS(SSA_INVALID, "not a DNS name", ssa_resolve(resolver, "a..b", 1, &service, &message));
    ENDS(SSA_INVALID, "below the root", ssa_resolve(resolver, "", 1000, &service, &message));
    ENDS(SSA_INVALID, "below the root", ssa_resolve(resolver, ".", 1000, &service, &message));
    ENDS(SSA_INVALID, "an address", ssa_resolve(resolver, "192.0.2.1", 1000, &service, &message));
    ENDS(SSA_TIMED_OUT, "svc.example", ssa_resolve(resolver, "svc.example", 0, &service, &message));
    ENDS(SSA_TIMED_OUT, "svc.example", ssa_resolve(resolver, "svc.example", 50, &service, &message));
    EXPECT(service == NULL && close(server) == 0);
    ssa_resolver_free(resolver);
    ssa_resolver_free(NULL);
}

static void connections(void) {
    static const uint8_t loopback[16] = {[15] = 1};
    ssa_selector *selector = selector_of("::/64", "v=1 rule=const(0x1):64"), *objects = selector_of("::/64", "v=1 rule=object(0):64");
    uint8_t found[16];
    uint16_t port;
    char said[8];
    int32_t fd = 0;
    ENDS(SSA_OK, "", ssa_source_for(loopback, found, &message));
    EXPECT(memcmp(found, loopback, 16) == 0);
    ENDS(SSA_INVALID, "destination is NULL", ssa_source_for(NULL, found, &message));
    ENDS(SSA_INVALID, "NULL", ssa_source_for(loopback, NULL, &message));

    ENDS(SSA_INVALID, "selector is NULL", ssa_connect_tcp(NULL, NULL, SSA_ANY_REPLICA, 9, 1000, &fd, &message));
    EXPECT(fd == -1);
    ENDS(SSA_INVALID, "port is 0", ssa_connect_tcp(selector, NULL, SSA_ANY_REPLICA, 0, 1000, &fd, &message));
    ENDS(SSA_INVALID, "port is 0", ssa_connect_udp(selector, NULL, SSA_ANY_REPLICA, 0, 1000, &fd, &message));
    ENDS(SSA_INVALID, "NULL", ssa_connect_tcp(selector, NULL, SSA_ANY_REPLICA, 9, 1000, NULL, &message));
    ENDS(SSA_NO_SUCH_OBJECT, "object", ssa_connect_udp(objects, NULL, SSA_ANY_REPLICA, 9, 1000, &fd, &message));

    int listener = listen_at_loopback(SOCK_STREAM, &port);
    ENDS(SSA_OK, "", ssa_connect_tcp(selector, NULL, SSA_ANY_REPLICA, port, 60000, &fd, &message));
    int accepted = accept(listener, NULL, NULL);
    EXPECT(accepted >= 0 && (fcntl(fd, F_GETFL) & O_NONBLOCK) == 0 && (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    EXPECT(write(accepted, "hello", 5) == 5 && read(fd, said, sizeof said) == 5 && memcmp(said, "hello", 5) == 0);
    EXPECT(close(accepted) == 0 && close(fd) == 0);
    EXPECT(close(listener) == 0);
    ENDS(SSA_NOT_CONNECTED, "refused", ssa_connect_tcp(selector, NULL, 0, port, 60000, &fd, &message));
    EXPECT(fd == -1);

    int server = listen_at_loopback(SOCK_DGRAM, &port);
    ENDS(SSA_OK, "", ssa_connect_udp(selector, NULL, SSA_ANY_REPLICA, port, 60000, &fd, &message));
    EXPECT((fcntl(fd, F_GETFL) & O_NONBLOCK) == 0);
    EXPECT(send(fd, "hello", 5, 0) == 5 && read(server, said, sizeof said) == 5);
    EXPECT(close(fd) == 0 && close(server) == 0);

    ssa_selector_free(objects);
    /* A proof that no host finds: the search ends with the time. */
    objects = selector_of("::/64", "v=1 rule=pow(64,zeros=40):64");
    ENDS(SSA_TIMED_OUT, "no answer", ssa_connect_udp(objects, NULL, SSA_ANY_REPLICA, 9, 50, &fd, &message));
    ENDS(SSA_TIMED_OUT, "no answer", ssa_connect_tcp(objects, NULL, SSA_ANY_REPLICA, 9, 50, &fd, &message));
    ssa_selector_free(objects);
    ssa_selector_free(selector);
}

enum { THREADS = 8, ROUNDS = 200 };

/* One selector, which all of them have; and handles of their own. */
static void *use(void *shared) {
    ssa_message said;
    for (int round = 0; round < ROUNDS; round++) {
        uint8_t address[16], from[16] = {0x20, 1, [7] = (uint8_t)round};
        ssa_service *service = NULL;
        EXPECT(ssa_selector_address(shared, from, NULL, 0, 1, NULL, NULL, address, &said) == SSA_OK);
        EXPECT(memcmp(address + 8, from, 8) == 0);
        EXPECT(ssa_service_new("svc", "2001:db8::1/64", record, &service, &said) == SSA_INVALID && service == NULL);
        EXPECT(ssa_service_new("svc", prefix, record, &service, &said) == SSA_OK);
        ssa_service_free(service);
    }
    return NULL;
}

/* One resolver, likewise. */
static void *ask(void *shared) {
    ssa_message said;
    ssa_service *service = NULL;
    EXPECT(ssa_resolve(shared, "svc.example", 50, &service, &said) == SSA_TIMED_OUT && service == NULL);
    return NULL;
}

static void together(void *(*work)(void *), void *shared) {
    pthread_t threads[THREADS];
    for (int thread = 0; thread < THREADS; thread++)
        EXPECT(pthread_create(&threads[thread], NULL, work, shared) == 0);
    for (int thread = 0; thread < THREADS; thread++)
        EXPECT(pthread_join(threads[thread], NULL) == 0);
}

static void threads(void) {
    ssa_selector *selector = selector_of(prefix, record);
    int server;
    ssa_resolver *resolver = resolver_of_silence(&server);
    together(use, selector);
    together(ask, resolver);
    ssa_selector_free(selector);
    ssa_resolver_free(resolver);
    EXPECT(close(server) == 0);
}

int main(void) {
    structures();
    services();
    messages();
    keys();
    addresses();
    resolvers();
    connections();
    threads();
    return 0;
}
