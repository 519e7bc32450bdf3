// What a request costs under libmodsecurity: the same requests and rules as ours, on the clock of
// the thread's own processor time.
//
//   rivals RULES REQUESTS
//
// REQUESTS holds requests one after the other, each as three lines and its bytes: the lengths of
// its head and body, then head and body. The first half warms up; printed are microseconds a
// request over the second half, the median of batches.

#include <modsecurity/modsecurity.h>
#include <modsecurity/rules_set.h>
#include <modsecurity/transaction.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

struct Request {
    std::string method, uri, version, body;
    std::vector<std::pair<std::string, std::string>> headers;
};

static Request read(const std::string &head, std::string body) {
    Request request;
    std::istringstream lines(head);
    std::string line, protocol;
    std::getline(lines, line);
    std::istringstream words(line);
    words >> request.method >> request.uri >> protocol;
    request.version = protocol.substr(protocol.find('/') + 1);
    while (std::getline(lines, line) && line != "\r" && !line.empty()) {
        if (line.back() == '\r') line.pop_back();
        auto colon = line.find(": ");
        request.headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
    }
    if (!body.empty()) {
        request.headers.emplace_back("Content-Length", std::to_string(body.size()));
    }
    request.body = std::move(body);
    return request;
}

static double cpu_us() {
    timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return used.tv_sec * 1e6 + used.tv_nsec / 1e3;
}

int main(int, char **arguments) {
    modsecurity::ModSecurity engine;
    engine.setServerLogCb([](void *, const void *) {});
    modsecurity::RulesSet rules;
    if (rules.loadFromUri(arguments[1]) < 0) {
        std::cerr << rules.getParserError() << "\n";
        return 1;
    }
    std::vector<Request> requests;
    std::ifstream input(arguments[2], std::ios::binary);
    size_t head_bytes, body_bytes;
    while (input >> head_bytes >> body_bytes) {
        std::string head(head_bytes, 0), body(body_bytes, 0);
        input.get();
        input.read(&head[0], head_bytes);
        input.read(&body[0], body_bytes);
        requests.push_back(read(head, body));
    }
    auto run = [&](const Request &request) {
        modsecurity::Transaction transaction(&engine, &rules, nullptr);
        transaction.processConnection("127.0.0.1", 443, "127.0.0.1", 443);
        transaction.processURI(request.uri.c_str(), request.method.c_str(), request.version.c_str());
        for (const auto &header : request.headers) {
            transaction.addRequestHeader(header.first, header.second);
        }
        transaction.processRequestHeaders();
        if (!request.body.empty()) {
            auto bytes = reinterpret_cast<const unsigned char *>(request.body.data());
            transaction.appendRequestBody(bytes, request.body.size());
        }
        transaction.processRequestBody();
    };
    size_t half = requests.size() / 2;
    for (size_t at = 0; at < half; ++at) run(requests[at]);
    size_t batch = std::max<size_t>(half / 20, 1);
    std::vector<double> times;
    for (size_t at = half; at + batch <= requests.size(); at += batch) {
        double began = cpu_us();
        for (size_t of = at; of < at + batch; ++of) run(requests[of]);
        times.push_back((cpu_us() - began) / batch);
    }
    std::sort(times.begin(), times.end());
    std::printf("%.1f\n", times[times.size() / 2]);
}
