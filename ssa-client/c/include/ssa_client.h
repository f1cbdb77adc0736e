/*
 * The client's side of Structured Service Addressing: a name or prefixes in; addresses that follow the service's rule, and
 * sockets that are connected to them, out.
 *
 * resolve or make a service -> ssa_service -> ssa_selector -> an address, or a connected socket
 *
 * Results. A function that can fail gives an ssa_status, SSA_OK or why not; a `message` that is not NULL then says it in
 * words, and is empty where all is well. What a function makes it writes to a pointer that must not be NULL. Where it fails
 * it writes NULL there, zeros for an address or a prefix, and -1 for a file descriptor.
 *
 * Memory. Whatever the library has made is given back by the `_free` of its kind, once; NULL is freed too. Nothing that the
 * caller passes is kept: keys, texts and buffers are its own again when the call returns. Pointers to numbers and octets may
 * overlap and need not be aligned.
 *
 * Texts are UTF-8 and end with NUL. A text that the library gives belongs to its handle, and goes with it.
 *
 * Addresses are 16 octets in network order, as in `struct in6_addr`. Object ids and secrets are 16 octets likewise.
 *
 * Threads. Any number of them may use a handle at once. It is freed when none does. No function may be called in a child
 * between fork and exec.
 *
 * Faults. Nothing unwinds through this border: a fault of the library itself is SSA_INTERNAL, or 0, or NULL.
 */
#ifndef SSA_CLIENT_H
#define SSA_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What this header is for. It counts on when a program that was built with an older one could go wrong. */
#define SSA_CLIENT_ABI 1

/* The version that the library has: compare it with SSA_CLIENT_ABI where the library is loaded by hand. */
uint32_t ssa_client_abi_version(void);

/* How a call has ended. Later versions may add numbers. */
typedef int32_t ssa_status;
enum {
    SSA_OK = 0,
    /* An argument is NULL or too long, is not UTF-8, or is not what it should be. */
    SSA_INVALID = 1,
    /* The rule record, or another record of the service, is not understood, or the rule does not fit a prefix. */
    SSA_NOT_UNDERSTOOD = 2,
    /* The rule has a `mac`, and there is no key for it. */
    SSA_NO_KEY = 3,
    /* The rule needs an object and there is none, or there is no such replica. */
    SSA_NO_SUCH_OBJECT = 4,
    /* The service has no prefix, or has taken out all addresses that its rule leads to. */
    SSA_NO_ADDRESS = 5,
    /* The caller gave up the search for a proof of work. */
    SSA_CANCELLED = 6,
    /* The name has no rule record: its AAAA addresses are good as they are. */
    SSA_NO_SERVICE = 7,
    /* DNS does not answer, its CNAME records have no end, or its signatures are wrong. */
    SSA_NO_ANSWER = 8,
    /* Signatures are required, and a record has none. */
    SSA_NOT_SIGNED = 9,
    /* The time was over before there was a result. */
    SSA_TIMED_OUT = 10,
    /* The kernel has no way there, or no address to send from. */
    SSA_NO_ROUTE = 11,
    /* Every address that was called has refused, or cannot be called. */
    SSA_NOT_CONNECTED = 12,
    /* A fault of the library. */
    SSA_INTERNAL = 13
};

/* What a status means, in a few words; NULL for numbers that the library does not have. Never freed. */
const char *ssa_status_text(int32_t status);

/* Why a call has failed, with NUL at the end; what is longer is cut. */
typedef struct ssa_message {
    char text[512];
} ssa_message;

/* A prefix: what is behind its `length` bits, 0 to 128, is zero. */
typedef struct ssa_prefix {
    uint8_t address[16];
    uint8_t length;
} ssa_prefix;

/* A key of a `mac`. */
typedef struct ssa_key {
    uint32_t number;
    uint8_t secret[16];
} ssa_key;

/* ------------------------------------------------------------------------------------------------------------------------
 * Services: prefixes with a rule.
 */

typedef struct ssa_service ssa_service;

/*
 * A service made by hand. `name` is for messages. `prefixes` has spaces between; with `!` in front of one, no address in it is
 * used: "2001:db8:a::/48 !2001:db8:a:8::/64". `record` is the rule record: "v=1 rule=hash(48):14 any:*", or that of TXT,
 * which begins with v=ssa1.
 * SSA_INVALID: a prefix is none, or has bits behind its length. SSA_NOT_UNDERSTOOD: the record.
 */
ssa_status ssa_service_new(const char *name, const char *prefixes, const char *record, ssa_service **service,
    ssa_message *message);

void ssa_service_free(ssa_service *service);

/* The name that it was found by, and the text of its rule. NULL of NULL. */
const char *ssa_service_name(const ssa_service *service);
const char *ssa_service_rule(const ssa_service *service);

/* How many prefixes it has, and one of them, in the order in which they are tried. */
size_t ssa_service_prefix_count(const ssa_service *service);
ssa_status ssa_service_prefix(const ssa_service *service, size_t index, ssa_prefix *prefix, ssa_message *message);

/* The same of the parts in which no address is used. */
size_t ssa_service_excluded_count(const ssa_service *service);
ssa_status ssa_service_excluded(const ssa_service *service, size_t index, ssa_prefix *prefix, ssa_message *message);

/* The port that DNS says; 0 where it says none. */
uint16_t ssa_service_port(const ssa_service *service);

/* How long it holds, in seconds since it was resolved; UINT64_MAX of one made by hand. */
uint64_t ssa_service_ttl(const ssa_service *service);

/* 1 where DNSSEC vouches for all of it, else 0. */
int32_t ssa_service_authenticated(const ssa_service *service);

/* ------------------------------------------------------------------------------------------------------------------------
 * Names to services. Not in a library that was built without its feature `resolve`.
 */

typedef struct ssa_resolver ssa_resolver;

/* Whether signatures of DNS are checked. */
enum {
    /* No: no service is authenticated. */
    SSA_DNSSEC_IGNORED = 0,
    /* Where a zone is signed they must be right. */
    SSA_DNSSEC_CHECKED = 1,
    /* All that is used must be signed. */
    SSA_DNSSEC_REQUIRED = 2
};

/*
 * A resolver, which keeps services for as long as they hold. `servers` are addresses of name servers with spaces between,
 * each with a port or without ("::1 [::1]:5353"); NULL: those of the system. `anchors` is the path of a regular file of
 * DNSKEY records, a megabyte at most, up to which signatures are checked; NULL: those of the root.
 * SSA_INVALID: a server, `dnssec`, or the file. SSA_NO_ANSWER: the system names no server.
 */
ssa_status ssa_resolver_new(const char *servers, uint32_t dnssec, const char *anchors, ssa_resolver **resolver,
    ssa_message *message);

void ssa_resolver_free(ssa_resolver *resolver);

/*
 * The service at a name, which is taken as absolute. Waits for `timeout` milliseconds at most.
 * SSA_NO_SERVICE, SSA_NO_ANSWER, SSA_NO_ADDRESS, SSA_NOT_UNDERSTOOD, SSA_NOT_SIGNED, SSA_TIMED_OUT, or SSA_INVALID.
 */
ssa_status ssa_resolve(const ssa_resolver *resolver, const char *name, uint32_t timeout, ssa_service **service,
    ssa_message *message);

/* ------------------------------------------------------------------------------------------------------------------------
 * Addresses.
 */

typedef struct ssa_selector ssa_selector;

/*
 * What computes the addresses of a service. It does not need the service any more. `keys` is the ring of the rule's `mac`, in
 * any order; a rule without needs none, and then NULL will do. The secrets are not kept: field keys are made of them.
 * SSA_NO_KEY, SSA_NO_ADDRESS, SSA_NOT_UNDERSTOOD, or SSA_INVALID.
 */
ssa_status ssa_selector_new(const ssa_service *service, const ssa_key *keys, size_t key_count,
    ssa_selector **selector, ssa_message *message);

void ssa_selector_free(ssa_selector *selector);

/* The replicas that the rule has: 1 where it has no such field, 0 of NULL. They are counted from 0. */
uint32_t ssa_selector_replicas(const ssa_selector *selector);

/* The id of an object: "0x" and 32 hexadecimal digits are taken as they are, a number is a block, other text is a name. */
ssa_status ssa_object_id(const char *text, uint8_t object[16], ssa_message *message);

/*
 * Told now and then, in the caller's thread, how many attempts the search for a proof of work has taken. Anything but 0 gives
 * the search up. It must return: no exception, no longjmp.
 */
typedef int32_t (*ssa_progress)(uint64_t attempts, void *context);

/*
 * The address for one connection. `source` is the address that it will be sent from, `object` the id of what is wanted or
 * NULL, `time` in Unix seconds. A rule without `object` or `replica` does not look at it. `progress` may be NULL: then a proof
 * of work is searched for to its end.
 * SSA_NO_SUCH_OBJECT, SSA_NO_ADDRESS, SSA_CANCELLED, or SSA_INVALID.
 */
ssa_status ssa_selector_address(const ssa_selector *selector, const uint8_t source[16], const uint8_t object[16],
    uint32_t replica, uint64_t time, ssa_progress progress, void *context, uint8_t address[16], ssa_message *message);

/*
 * When an address of `time` is to be computed anew, and the first second in which it is taken no more. Unix seconds; UINT64_MAX
 * where the rule has no period, 0 of NULL.
 */
uint64_t ssa_selector_epoch_end(const ssa_selector *selector, uint64_t time);
uint64_t ssa_selector_valid_until(const ssa_selector *selector, uint64_t time);

/* The address that the kernel would send from to `destination`, as its routes are now. SSA_NO_ROUTE, or SSA_INVALID. */
ssa_status ssa_source_for(const uint8_t destination[16], uint8_t source[16], ssa_message *message);

/* ------------------------------------------------------------------------------------------------------------------------
 * Connections. Each is bound to the source that its address was computed for.
 */

/* For `replica`: the first that answers. */
#define SSA_ANY_REPLICA UINT32_MAX

/*
 * A TCP connection to the first prefix, or replica, that answers within `timeout` milliseconds: a blocking socket, which the
 * caller closes. `object` may be NULL.
 * SSA_NO_SUCH_OBJECT, SSA_NO_ADDRESS, SSA_NO_ROUTE, SSA_NOT_CONNECTED, SSA_TIMED_OUT, or SSA_INVALID.
 */
ssa_status ssa_connect_tcp(const ssa_selector *selector, const uint8_t object[16], uint32_t replica, uint16_t port,
    uint32_t timeout, int32_t *fd, ssa_message *message);

/*
 * A UDP socket, likewise, that is connected to the first prefix, or replica, that there is a way to: nobody knows before an
 * answer comes whether anybody hears. It keeps its address: take another when the epoch ends.
 */
ssa_status ssa_connect_udp(const ssa_selector *selector, const uint8_t object[16], uint32_t replica, uint16_t port,
    uint32_t timeout, int32_t *fd, ssa_message *message);

#ifdef __cplusplus
}
#endif

#endif
