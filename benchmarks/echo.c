/*
 * The least an ESME can do: binds, answers every USSD message from a fixed menu of three screens, keeps one
 * octet of state for each subscriber in a table. Nothing is stored, checked or logged: the floor that the
 * gateway's cost per turn is compared with.
 *
 *   gcc -O2 -o echo echo.c ; ./echo PORT
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define IN_SIZE (1 << 19)
#define OUT_SIZE (1 << 21)
#define SLOTS (1u << 20) /* msisdn -> step; a collision only begins a menu anew */

static unsigned char in[IN_SIZE], out[OUT_SIZE], steps[SLOTS];

static const char *pages[3] = {
    "Refresh your package\n1 Refresh\n2 Balance\n3 Contract",
    "Refresh costs 90 rub, balance 150 rub. Confirm?\n1 Yes\n2 No",
    "Done %s. The package is refreshed until 30.11",
};

static uint32_t get32(const unsigned char *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static unsigned char *put32(unsigned char *p, uint32_t v) {
    p[0] = v >> 24, p[1] = v >> 16, p[2] = v >> 8, p[3] = v;
    return p + 4;
}

static unsigned char *head(unsigned char *p, uint32_t length, uint32_t command, uint32_t sequence) {
    return put32(put32(put32(put32(p, length), command), 0), sequence);
}

static unsigned char *text(unsigned char *p, const unsigned char *s) {
    size_t n = strlen((const char *)s) + 1;
    memcpy(p, s, n);
    return p + n;
}

static int connect_to(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int tries = 0; tries < 250; tries++) {
        int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
            return fd;
        }
        close(fd);
        usleep(20000);
    }
    return -1;
}

static void send_all(int fd, const unsigned char *from, size_t count) {
    while (count) {
        ssize_t n = write(fd, from, count);
        if (n <= 0)
            exit(0);
        from += n, count -= n;
    }
}

/* One deliver_sm with its header at p: its response and the page behind it. */
static unsigned char *answer(unsigned char *o, unsigned char *p, uint32_t *sequence) {
    unsigned char *source = p + 16 + strlen((char *)p + 16) + 3;
    unsigned char *dest = source + strlen((char *)source) + 3;
    unsigned char *fields = dest + strlen((char *)dest) + 1; /* esm_class .. sm_length: ten octets */
    unsigned char *step = &steps[(strtoull((char *)source, 0, 10) * 2654435761u) & (SLOTS - 1)];
    char filled[200];
    const char *page;
    int last;
    o = head(o, 17, 0x80000005u, get32(p + 12));
    *o++ = 0;
    if (fields[0] & 0x3C)
        return o;
    if (fields[10] == '*')
        *step = 0;
    last = *step == 2;
    page = pages[*step];
    if (last) {
        snprintf(filled, sizeof filled, page, source);
        page = filled;
        *step = 0;
    } else {
        ++*step;
    }
    unsigned char *start = o;
    size_t length = strlen(page);
    o = text(o + 16, (const unsigned char *)"USSD");
    *o++ = 0, *o++ = 1;
    o = text(o, dest);
    *o++ = 1, *o++ = 1;
    o = text(o, source);
    memset(o, 0, 9);
    o += 9;
    *o++ = length;
    memcpy(o, page, length);
    o += length;
    memcpy(o, "\x05\x01\0\x01", 4);
    o[4] = last ? 17 : 2;
    o += 5;
    head(start, o - start, 4, (*sequence)++);
    return o;
}

int main(int argc, char **argv) {
    uint32_t sequence = 2;
    size_t have = 0;
    int fd = connect_to(argc > 1 ? atoi(argv[1]) : 2775);
    if (fd < 0)
        return 1;
    head(out, 33, 9, 1);
    memcpy(out + 16, "test\0test\0\0\x34\0\0\0\0", 17);
    send_all(fd, out, 33);
    for (;;) {
        ssize_t n = read(fd, in + have, IN_SIZE - have);
        unsigned char *p = in, *o = out;
        if (n <= 0)
            return 0;
        have += n;
        while (have >= 16) {
            uint32_t length = get32(p), command = get32(p + 4);
            if (length < 16 || length > 4096)
                return 2;
            if (have < length)
                break;
            if (command == 5)
                o = answer(o, p, &sequence);
            else if (command == 0x15)
                o = head(o, 16, 0x80000015u, get32(p + 12));
            p += length, have -= length;
            if (o - out > OUT_SIZE - 4096) {
                send_all(fd, out, o - out);
                o = out;
            }
        }
        send_all(fd, out, o - out);
        memmove(in, p, have);
    }
}
