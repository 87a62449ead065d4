/*
 * A USSD centre on loopback: lets one ESME bind, keeps N dialogues in flight through it, checks every reply
 * and prints one JSON object with the rate, the latency and the CPU time that the ESME has used a turn.
 *
 *   gcc -O2 -o generator generator.c
 *   ./generator --port 2775 --in-flight 256 --seconds 3 --warm 1 --pid PID [--script FILE] [--label TEXT]
 *
 * A turn is a deliver_sm with ussd_service_op and its_session_info, its deliver_sm_resp, the submit_sm with the
 * page and its submit_sm_resp. A line of the script is `input|part of the page|more` or `...|end`; `%m` stands
 * for the MSISDN. A run is bounded: at most a minute, and 20 s for the bind.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SUBMIT = 4, DELIVER = 5, UNBIND = 6, BIND_TRX = 9, ENQUIRE = 0x15 };
#define RESPONSE 0x80000000u
enum { MAX_STEPS = 16, MAX_IN_FLIGHT = 16384, BUFFER = 1 << 23, TICKS = 4000000 };
#define LOST_AFTER_NS 5000000000ull
#define BIND_WAIT_NS 20000000000ull

struct step {
    char input[64], part[128];
    int last;
};
static struct step script[MAX_STEPS] = {{"*929#", "1 Refresh", 0}, {"1", "Confirm", 0}, {"1", "Done %m", 1}};
static int steps = 3;

struct dialogue {
    uint64_t number, sent_at;
    int step, answered;
};
static struct dialogue dialogues[MAX_IN_FLIGHT];
static uint64_t numbers; /* handsets that have dialled so far */
static int in_flight = 256, port = 2775, pid;
static double seconds = 3, warm = 1;
static const char *label = "";

static unsigned char in[BUFFER], out[BUFFER];
static size_t have, queued;
static uint32_t sequence;
static int bound, counting, stopping;
static uint32_t latency[TICKS]; /* turns by microseconds */
static struct {
    uint64_t turns, dialogues, lost, wrong_text, wrong_operation, unexpected, refused, bad_pdu;
} count;

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void die(const char *why) {
    fprintf(stderr, "generator: %s\n", why);
    exit(2);
}

static uint32_t get32(const unsigned char *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put32(unsigned char *p, uint32_t v) { p[0] = v >> 24, p[1] = v >> 16, p[2] = v >> 8, p[3] = v; }

/* CPU time of a process in microseconds: utime and stime of /proc/PID/stat, fields 14 and 15. */
static double cpu_us(int of) {
    char name[64], line[1024], *field;
    unsigned long user = 0, kernel = 0;
    FILE *file;
    size_t n;
    if (!of)
        return 0;
    snprintf(name, sizeof name, "/proc/%d/stat", of);
    file = fopen(name, "r");
    if (!file)
        return 0;
    n = fread(line, 1, sizeof line - 1, file);
    fclose(file);
    line[n] = 0;
    field = strrchr(line, ')'); /* the name of a program may hold anything */
    if (field)
        sscanf(field + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &kernel);
    return (double)(user + kernel) * 1e6 / (double)sysconf(_SC_CLK_TCK);
}

static unsigned char *start_pdu(uint32_t command, uint32_t status, uint32_t number) {
    unsigned char *p = out + queued;
    if (queued + 1024 > BUFFER)
        die("the ESME does not read");
    put32(p + 4, command), put32(p + 8, status), put32(p + 12, number);
    return p;
}

static void end_pdu(unsigned char *start, unsigned char *end) {
    put32(start, (uint32_t)(end - start));
    queued += (size_t)(end - start);
}

static unsigned char *put_text(unsigned char *p, const char *text) {
    size_t n = strlen(text) + 1;
    memcpy(p, text, n);
    return p + n;
}

static void msisdn_of(char *to, uint64_t number) { sprintf(to, "79%09llu", (unsigned long long)number); }

static void send_step(struct dialogue *d) {
    char msisdn[32];
    unsigned char *start = start_pdu(DELIVER, 0, ++sequence & 0x7FFFFFFF), *p = start + 16;
    const char *input = script[d->step].input;
    size_t n = strlen(input);
    msisdn_of(msisdn, d->number);
    p = put_text(p, "USSD");
    *p++ = 1, *p++ = 1;
    p = put_text(p, msisdn);
    *p++ = 0, *p++ = 1;
    p = put_text(p, "929");
    memset(p, 0, 9), p += 9; /* esm_class .. sm_default_msg_id */
    *p++ = (unsigned char)n;
    memcpy(p, input, n), p += n;
    memcpy(p, "\x05\x01\0\x01", 4), p[4] = d->step ? 18 : 1, p += 5;
    memcpy(p, "\x13\x83\0\x02", 4), p[4] = (unsigned char)d->number, p[5] = (unsigned char)(d->step << 1), p += 6;
    end_pdu(start, p);
    d->sent_at = now();
    d->answered = 0;
}

static void dial(int slot) {
    struct dialogue *d = &dialogues[slot];
    /* The nine digits of an MSISDN must lead back to the slot: wrap at a whole multiple of in_flight. */
    d->number = numbers++ % (1000000000u / (uint64_t)in_flight) * (uint64_t)in_flight + (uint64_t)slot;
    d->step = 0;
    send_step(d);
}

static int holds(const unsigned char *text, size_t length, const char *pattern, const char *msisdn) {
    char wanted[256];
    const char *mark = strstr(pattern, "%m");
    if (mark)
        snprintf(wanted, sizeof wanted, "%.*s%s%s", (int)(mark - pattern), pattern, msisdn, mark + 2);
    else
        snprintf(wanted, sizeof wanted, "%s", pattern);
    return memmem(text, length, wanted, strlen(wanted)) != 0;
}

/* A page: find its dialogue by the MSISDN, check text and operation, send the next input. */
static void on_submit(uint32_t number, const unsigned char *p, const unsigned char *end) {
    char id[16], msisdn[32];
    const unsigned char *dest, *text;
    unsigned char *start;
    struct dialogue *d;
    size_t length, operation = 0;
    uint64_t took;
    int slot;

    start = start_pdu(SUBMIT | RESPONSE, 0, number);
    snprintf(id, sizeof id, "%x", number);
    end_pdu(start, put_text(start + 16, id));

    p = memchr(p, 0, (size_t)(end - p)); /* service_type */
    p = p && p + 3 < end ? memchr(p + 3, 0, (size_t)(end - p - 3)) : 0;
    if (!p || p + 3 >= end)
        goto bad;
    dest = p + 3;
    p = memchr(dest, 0, (size_t)(end - dest));
    if (!p || end - p < 12 || p[4] || p[5])
        goto bad;
    length = p[10];
    text = p + 11;
    p = text + length;
    if (p > end)
        goto bad;
    for (; end - p >= 4; p += 4 + (p[2] << 8 | p[3])) {
        if (end - p - 4 < (p[2] << 8 | p[3]))
            goto bad;
        if (p[0] == 5 && p[1] == 1)
            operation = p[4];
        if (p[0] == 4 && p[1] == 0x24)
            text = p + 4, length = (size_t)(p[2] << 8 | p[3]);
    }
    slot = (int)((strtoull((const char *)dest + 2, 0, 10)) % (uint64_t)in_flight);
    d = &dialogues[slot];
    msisdn_of(msisdn, d->number);
    if (strcmp(msisdn, (const char *)dest) || d->answered) {
        count.unexpected++;
        return;
    }
    d->answered = 1;
    took = (now() - d->sent_at) / 1000;
    if (counting) {
        count.turns++;
        latency[took < TICKS ? took : TICKS - 1]++;
    }
    if (!holds(text, length, script[d->step].part, msisdn))
        count.wrong_text++;
    if (operation != (script[d->step].last ? 17u : 2u))
        count.wrong_operation++;
    if (!script[d->step].last) {
        d->step++;
        send_step(d);
        return;
    }
    count.dialogues += (uint64_t)counting;
    if (!stopping)
        dial(slot);
    return;
bad:
    count.bad_pdu++;
}

static void on_pdu(const unsigned char *p, uint32_t length) {
    uint32_t command = get32(p + 4), status = get32(p + 8), number = get32(p + 12);
    unsigned char *start;
    switch (command) {
    case BIND_TRX:
        start = start_pdu(BIND_TRX | RESPONSE, 0, number);
        memcpy(start + 16, "bench\0\x02\x10\0\x01\x34", 11);
        end_pdu(start, start + 27);
        bound = 1;
        break;
    case SUBMIT:
        on_submit(number, p + 16, p + length);
        break;
    case DELIVER | RESPONSE:
        count.refused += status != 0;
        break;
    case ENQUIRE:
    case UNBIND:
        start = start_pdu(command | RESPONSE, 0, number);
        end_pdu(start, start + 16);
        break;
    case ENQUIRE | RESPONSE:
        break;
    default:
        count.bad_pdu++;
    }
}

/* Read once, take every whole PDU, write what has gathered. Returns 0 when the ESME has gone. */
static int exchange(int fd, int wait_ms) {
    struct pollfd ready = {.fd = fd, .events = POLLIN | (queued ? POLLOUT : 0)};
    unsigned char *p = in;
    if (poll(&ready, 1, wait_ms) < 0)
        die("poll failed");
    if (ready.revents & (POLLIN | POLLHUP | POLLERR)) {
        ssize_t n = recv(fd, in + have, 262144 < BUFFER - have ? 262144 : BUFFER - have, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN))
            return 0;
        have += n > 0 ? (size_t)n : 0;
        while (have >= 16) {
            uint32_t length = get32(p);
            if (length < 16 || length > 70000)
                die("the ESME has sent no PDU");
            if (have < length)
                break;
            on_pdu(p, length);
            p += length, have -= length;
        }
        memmove(in, p, have);
    }
    if (queued) {
        ssize_t n = send(fd, out, queued, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN)
            return 0;
        if (n > 0) {
            queued -= (size_t)n;
            memmove(out, out + n, queued);
        }
    }
    return 1;
}

static void sweep(void) {
    uint64_t t = now();
    for (int slot = 0; slot < in_flight; slot++) {
        struct dialogue *d = &dialogues[slot];
        if (!d->answered && d->sent_at + LOST_AFTER_NS < t) {
            count.lost++;
            dial(slot);
        }
    }
}

static double quantile(double part) {
    uint64_t wanted = (uint64_t)(part * (double)count.turns), seen = 0;
    for (int us = 0; us < TICKS; us++)
        if ((seen += latency[us]) > wanted)
            return us / 1000.0;
    return 0;
}

static void load_script(const char *name) {
    char line[300];
    FILE *file = fopen(name, "r");
    if (!file)
        die("the script cannot be read");
    for (steps = 0; steps < MAX_STEPS && fgets(line, sizeof line, file);) {
        char *input = strtok(line, "|\n"), *part = strtok(0, "|\n"), *end = strtok(0, "|\n");
        if (!input || !part || !end)
            continue;
        snprintf(script[steps].input, sizeof script[steps].input, "%s", input);
        snprintf(script[steps].part, sizeof script[steps].part, "%s", part);
        script[steps++].last = !strcmp(end, "end");
    }
    fclose(file);
    if (!steps || !script[steps - 1].last)
        die("the last line of the script must be an end");
}

static int accept_esme(void) {
    int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0), fd;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct pollfd ready = {.fd = listener, .events = POLLIN};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 8))
        die("the port is taken");
    if (poll(&ready, 1, (int)(BIND_WAIT_NS / 1000000)) <= 0)
        die("nobody has connected");
    fd = accept(listener, 0, 0);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    close(listener);
    return fd;
}

static void options(int argc, char **argv) {
    for (int i = 1; i + 1 < argc; i += 2) {
        const char *name = argv[i], *value = argv[i + 1];
        if (!strcmp(name, "--port")) port = atoi(value);
        else if (!strcmp(name, "--in-flight")) in_flight = atoi(value);
        else if (!strcmp(name, "--seconds")) seconds = atof(value);
        else if (!strcmp(name, "--warm")) warm = atof(value);
        else if (!strcmp(name, "--pid")) pid = atoi(value);
        else if (!strcmp(name, "--script")) load_script(value);
        else if (!strcmp(name, "--label")) label = value;
        else die("unknown option");
    }
    if (in_flight < 1 || in_flight > MAX_IN_FLIGHT)
        die("--in-flight is 1..16384");
    if (seconds + warm > 60)
        die("a run takes at most 60 seconds");
}

int main(int argc, char **argv) {
    uint64_t limit, begun, swept;
    double cpu, elapsed;
    int fd;
    options(argc, argv);
    fd = accept_esme();
    for (limit = now() + BIND_WAIT_NS; !bound;)
        if (now() > limit || !exchange(fd, 100))
            die("the ESME has not bound");
    exchange(fd, 0);
    numbers = (uint64_t)time(0) % 100000 * 1000; /* other handsets in every run */
    for (int slot = 0; slot < in_flight; slot++)
        dial(slot);
    for (limit = now() + (uint64_t)(warm * 1e9); now() < limit;)
        if (!exchange(fd, 10))
            die("the ESME has gone");
    counting = 1;
    begun = swept = now();
    cpu = cpu_us(pid);
    for (limit = begun + (uint64_t)(seconds * 1e9); now() < limit;) {
        if (!exchange(fd, 10))
            die("the ESME has gone");
        if (now() > swept + 500000000u) {
            swept = now();
            sweep();
        }
    }
    elapsed = (double)(now() - begun) / 1e9;
    cpu = cpu_us(pid) - cpu;
    counting = 0, stopping = 1;
    for (limit = now() + 300000000u; now() < limit;)
        if (!exchange(fd, 10))
            break;
    printf("{\"label\":\"%s\",\"in_flight\":%d,\"seconds\":%.3f,\"turns\":%llu,\"turns_per_s\":%.1f,"
           "\"cpu_us_per_turn\":%.3f,\"p50_ms\":%.3f,\"p99_ms\":%.3f,",
           label, in_flight, elapsed, (unsigned long long)count.turns, (double)count.turns / elapsed,
           count.turns ? cpu / (double)count.turns : 0.0, quantile(.5), quantile(.99));
    printf("\"errors\":{\"lost\":%llu,\"wrong_text\":%llu,\"wrong_operation\":%llu,\"unexpected\":%llu,"
           "\"refused\":%llu,\"bad_pdu\":%llu}}\n",
           (unsigned long long)count.lost, (unsigned long long)count.wrong_text,
           (unsigned long long)count.wrong_operation, (unsigned long long)count.unexpected,
           (unsigned long long)count.refused, (unsigned long long)count.bad_pdu);
    return 0;
}
