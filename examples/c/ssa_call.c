/*
 * A service and a line in; the address for this host, and what answers there, out.
 *
 *     ssa_call [-s SERVER] [-o OBJECT] [-P PORT] [-t MILLISECONDS] NAME LINE
 *     ssa_call -p PREFIXES -r RECORD -P PORT [-o OBJECT] [-t MILLISECONDS] NAME LINE
 *
 * The name is looked up in DNS; with -p and -r the service is made of these, and no DNS is asked. Exit codes: 0 done, 1 failed,
 * 2 usage.
 */
#define _POSIX_C_SOURCE 200809L

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <ssa_client.h>

struct wishes {
    const char *server, *prefixes, *record, *object, *name, *line;
    uint16_t port;
    uint32_t timeout;
};

static const char *const usage =
    "usage: ssa_call [-s SERVER | -p PREFIXES -r RECORD] [-o OBJECT] [-P PORT] [-t MILLISECONDS] NAME LINE\n";

/* A number in 1 ... most; 0 for any other text. */
static unsigned long number(const char *text, unsigned long most) {
    char *end = NULL;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    return errno == 0 && *end == '\0' && value <= most ? value : 0;
}

static int read_arguments(int count, char **words, struct wishes *wishes) {
    int letter, has_port = 0;
    wishes->timeout = 10000;
    while ((letter = getopt(count, words, "s:p:r:o:P:t:")) != -1) {
        switch (letter) {
        case 's': wishes->server = optarg; break;
        case 'p': wishes->prefixes = optarg; break;
        case 'r': wishes->record = optarg; break;
        case 'o': wishes->object = optarg; break;
        case 'P': wishes->port = (uint16_t)number(optarg, UINT16_MAX), has_port = 1; break;
        case 't': wishes->timeout = (uint32_t)number(optarg, UINT32_MAX); break;
        default: return -1;
        }
    }
    if (count - optind != 2 || wishes->timeout == 0 || (has_port && wishes->port == 0))
        return -1;
    if (!wishes->prefixes != !wishes->record || (wishes->prefixes && wishes->server))
        return -1;
    wishes->name = words[optind];
    wishes->line = words[optind + 1];
    return 0;
}

/* Where the service comes from: the arguments, or DNS. */
static ssa_status find(const struct wishes *wishes, ssa_service **service, ssa_message *message) {
    if (wishes->prefixes)
        return ssa_service_new(wishes->name, wishes->prefixes, wishes->record, service, message);
    ssa_resolver *resolver = NULL;
    ssa_status status = ssa_resolver_new(wishes->server, SSA_DNSSEC_IGNORED, NULL, &resolver, message);
    if (status == SSA_OK)
        status = ssa_resolve(resolver, wishes->name, wishes->timeout, service, message);
    ssa_resolver_free(resolver);
    return status;
}

/* Sends the line, and prints what comes back until the other side has no more to say. */
static int talk(int fd, const char *line) {
    struct sockaddr_in6 peer;
    socklen_t length = sizeof peer;
    char address[INET6_ADDRSTRLEN], octets[4096];
    if (getpeername(fd, (struct sockaddr *)&peer, &length) != 0)
        return -1;
    printf("%s\n", inet_ntop(AF_INET6, &peer.sin6_addr, address, sizeof address));
    fflush(stdout);
    if (dprintf(fd, "%s\n", line) < 0 || shutdown(fd, SHUT_WR) != 0)
        return -1;
    for (;;) {
        ssize_t heard = read(fd, octets, sizeof octets);
        if (heard <= 0)
            return (int)heard;
        fwrite(octets, 1, (size_t)heard, stdout);
    }
}

static ssa_status call(const struct wishes *wishes, const ssa_service *service, int *fd, ssa_message *message) {
    uint8_t object[16];
    ssa_selector *selector = NULL;
    uint16_t port = wishes->port ? wishes->port : ssa_service_port(service);
    ssa_status status = SSA_OK;
    if (wishes->object)
        status = ssa_object_id(wishes->object, object, message);
    if (status == SSA_OK)
        status = ssa_selector_new(service, NULL, 0, &selector, message);
    if (status == SSA_OK)
        status = ssa_connect_tcp(selector, wishes->object ? object : NULL, SSA_ANY_REPLICA, port, wishes->timeout, fd, message);
    ssa_selector_free(selector);
    return status;
}

int main(int count, char **words) {
    struct wishes wishes = {0};
    if (read_arguments(count, words, &wishes) != 0) {
        fputs(usage, stderr);
        return 2;
    }
    if (ssa_client_abi_version() != SSA_CLIENT_ABI) {
        fputs("ssa_call: this libssa_client is another than the one it was built for\n", stderr);
        return 1;
    }
    ssa_message message;
    ssa_service *service = NULL;
    int fd = -1;
    ssa_status status = find(&wishes, &service, &message);
    if (status == SSA_OK) {
        fprintf(stderr, "%s has the rule %s\n", ssa_service_name(service), ssa_service_rule(service));
        status = call(&wishes, service, &fd, &message);
    }
    ssa_service_free(service);
    if (status != SSA_OK) {
        fprintf(stderr, "ssa_call: %s: %s\n", ssa_status_text(status), message.text);
        return 1;
    }
    struct timeval longest = {.tv_sec = wishes.timeout / 1000, .tv_usec = wishes.timeout % 1000 * 1000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
    int left = talk(fd, wishes.line);
    if (left != 0)
        perror("ssa_call");
    close(fd);
    return left == 0 ? 0 : 1;
}
