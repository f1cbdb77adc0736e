/*
 * Lines in; the address that each leads to, or why to none, out, a line each.
 *
 * A line has seven words with tabs between: prefixes, record, keys as NUMBER:HEX with commas between, source, object, replica,
 * Unix seconds. "-" is none.
 */
#define _POSIX_C_SOURCE 200809L

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ssa_client.h>

enum { WORDS = 7, KEYS = 8 };

static size_t read_keys(char *text, ssa_key *keys) {
    size_t count = 0;
    char *rest = NULL;
    for (char *word = strtok_r(text, ",", &rest); word && count < KEYS; word = strtok_r(NULL, ",", &rest)) {
        char *digits = NULL;
        if (strcmp(word, "-") == 0)
            break;
        keys[count].number = (uint32_t)strtoul(word, &digits, 10);
        for (size_t octet = 0; octet < 16; octet++) {
            unsigned value = 0;
            if (sscanf(digits + 1 + 2 * octet, "%2x", &value) != 1)
                exit(2);
            keys[count].secret[octet] = (uint8_t)value;
        }
        count++;
    }
    return count;
}

/* Any search goes on. */
static int32_t count_calls(uint64_t attempts, void *calls) {
    *(uint64_t *)calls += attempts > 0;
    return 0;
}

static void answer(char *words[WORDS]) {
    ssa_message message;
    ssa_service *service = NULL;
    ssa_selector *selector = NULL;
    ssa_key keys[KEYS];
    uint8_t source[16], id[16], address[16];
    uint64_t calls = 0;
    char text[INET6_ADDRSTRLEN];
    int has_object = strcmp(words[4], "-") != 0;
    ssa_status status = inet_pton(AF_INET6, words[3], source) == 1 ? SSA_OK : SSA_INVALID;
    message.text[0] = '\0';
    if (status == SSA_OK)
        status = ssa_service_new("svc.example", words[0], words[1], &service, &message);
    if (status == SSA_OK)
        status = ssa_selector_new(service, keys, read_keys(words[2], keys), &selector, &message);
    if (status == SSA_OK && has_object)
        status = ssa_object_id(words[4], id, &message);
    if (status == SSA_OK)
        status = ssa_selector_address(selector, source, has_object ? id : NULL, (uint32_t)strtoul(words[5], NULL, 10),
            strtoull(words[6], NULL, 10), count_calls, &calls, address, &message);
    ssa_selector_free(selector);
    ssa_service_free(service);
    if (status == SSA_OK)
        puts(inet_ntop(AF_INET6, address, text, sizeof text));
    else
        printf("%" PRId32 " %s\n", status, message.text);
}

int main(void) {
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, stdin) > 0) {
        char *words[WORDS], *rest = NULL;
        size_t count = 0;
        line[strcspn(line, "\n")] = '\0';
        for (char *word = strtok_r(line, "\t", &rest); word && count < WORDS; word = strtok_r(NULL, "\t", &rest))
            words[count++] = word;
        if (count != WORDS)
            return 2;
        answer(words);
    }
    free(line);
    return 0;
}
