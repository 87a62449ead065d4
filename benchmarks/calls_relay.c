/*
 * Between Asterisk and a FastAGI server: how long the server takes from a reply to its next command.
 *
 *   gcc -O2 -o relay calls_relay.c
 *   ./relay PORT SERVER_PORT        at SIGTERM it prints one JSON object: commands, and milliseconds
 *
 * Everything is passed on as it comes. The clock runs from the moment a reply that is owed was passed on until the
 * next octets of the server are here: the way through the kernel and the server's waiting for a core are in it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 4000000, AT_ONCE = 64, ROOM = 16384 };

struct side {
    int socket, server;
    struct side *other;
    uint64_t since; /* of the server's side: when a reply was passed on to it */
    int owed;       /* of the server's side: a command was passed on, its reply has not come */
};

static float *times;
static int count, polled;
static volatile sig_atomic_t stopping;

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void die(const char *why) {
    fprintf(stderr, "relay: %s\n", why);
    exit(2);
}

static void stop(int signal) {
    (void)signal;
    stopping = 1;
}

static struct side *add(int socket, int server) {
    struct side *one = calloc(1, sizeof *one);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = one};
    int yes = 1;
    if (!one) die("no memory");
    one->socket = socket, one->server = server;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (epoll_ctl(polled, EPOLL_CTL_ADD, socket, &event)) die("epoll");
    return one;
}

static void join(int listener, struct sockaddr_in server) {
    int here = accept4(listener, 0, 0, SOCK_CLOEXEC);
    if (here < 0) return;
    int there = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (there < 0 || connect(there, (struct sockaddr *)&server, sizeof server)) {
        close(here);
        if (there >= 0) close(there);
        return;
    }
    struct side *a = add(here, 0), *b = add(there, 1);
    a->other = b, b->other = a;
}

/* Both sides end together; they are given back when the events at hand are dealt with. */
static void part(struct side *one, struct side **gone, int *n) {
    if (one->socket < 0) return;
    struct side *other = one->other;
    close(one->socket), close(other->socket);
    one->socket = other->socket = -1;
    gone[(*n)++] = one, gone[(*n)++] = other;
}

static void pass(struct side *one, struct side **gone, int *n) {
    char room[ROOM];
    ssize_t size = recv(one->socket, room, sizeof room, 0);
    if (size <= 0) {
        part(one, gone, n);
        return;
    }
    if (one->server) {
        if (one->since && count < MOST) times[count++] = (float)(now() - one->since) / 1e6f;
        one->since = 0;
        one->owed = 1;
    }
    for (ssize_t done = 0; done < size;) {
        ssize_t sent = send(one->other->socket, room + done, (size_t)(size - done), MSG_NOSIGNAL);
        if (sent <= 0) {
            part(one, gone, n);
            return;
        }
        done += sent;
    }
    if (!one->server && one->other->owed && room[size - 1] == '\n') {
        one->other->owed = 0;
        one->other->since = now();
    }
}

static int by_size(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static double share(double part) {
    int i = (int)(count * part);
    return count ? (double)times[i < count ? i : count - 1] : 0;
}

static void report(void) {
    qsort(times, (size_t)count, sizeof *times, by_size);
    printf("{\"commands\": %d, \"p50_ms\": %.3f, \"p90_ms\": %.3f, \"p99_ms\": %.3f, \"p999_ms\": %.3f, "
           "\"longest_ms\": %.3f}\n",
           count, share(0.5), share(0.9), share(0.99), share(0.999), share(1));
}

int main(int argc, char **argv) {
    if (argc != 3) die("PORT SERVER_PORT");
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1])),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in server = here;
    struct sigaction on_stop = {.sa_handler = stop};
    int yes = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    server.sin_port = htons((uint16_t)atoi(argv[2]));
    times = malloc(MOST * sizeof *times);
    if (!times) die("no memory");
    sigaction(SIGTERM, &on_stop, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (listener < 0 || bind(listener, (struct sockaddr *)&here, sizeof here) || listen(listener, 1024))
        die("the port cannot be had");
    polled = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = 0};
    epoll_ctl(polled, EPOLL_CTL_ADD, listener, &event);
    while (!stopping) {
        struct epoll_event ready[AT_ONCE];
        struct side *gone[2 * AT_ONCE];
        int n = epoll_wait(polled, ready, AT_ONCE, -1), ends = 0;
        for (int i = 0; i < n; i++) {
            struct side *one = ready[i].data.ptr;
            if (!one)
                join(listener, server);
            else if (one->socket >= 0)
                pass(one, gone, &ends);
        }
        while (ends) free(gone[--ends]);
    }
    report();
    return 0;
}
