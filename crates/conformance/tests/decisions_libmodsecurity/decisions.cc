// Prints which rules libmodsecurity finds to hold, for a test that compares it with ours.
//
// The arguments are rule files. Each line of the input is "METHOD URI VERSION HEADERS BODY" in hexadecimal,
// "-" for an empty one; headers are "name: value" lines. The answer is one line of rule ids.

#include <modsecurity/modsecurity.h>
#include <modsecurity/rule_message.h>
#include <modsecurity/rules_set.h>
#include <modsecurity/transaction.h>

#include <iostream>
#include <string>
#include <vector>

static std::string unhex(const std::string &text) {
    std::string bytes;
    for (size_t at = 0; text != "-" && at + 1 < text.size(); at += 2) {
        bytes.push_back(static_cast<char>(std::stoi(text.substr(at, 2), nullptr, 16)));
    }
    return bytes;
}

static void told(void *to, const void *message) {
    const auto *rule = static_cast<const modsecurity::RuleMessage *>(message);
    static_cast<std::vector<int64_t> *>(to)->push_back(rule->m_ruleId);
}

static void add_headers(modsecurity::Transaction &transaction, const std::string &headers) {
    size_t at = 0;
    while (at < headers.size()) {
        const size_t end = std::min(headers.find('\n', at), headers.size());
        const size_t colon = std::min(headers.find(": ", at), end);
        const std::string name = headers.substr(at, colon - at);
        const std::string value = colon + 2 <= end ? headers.substr(colon + 2, end - colon - 2) : "";
        transaction.addRequestHeader(reinterpret_cast<const unsigned char *>(name.data()), name.size(),
                                     reinterpret_cast<const unsigned char *>(value.data()), value.size());
        at = end + 1;
    }
}

int main(int count, char **files) {
    modsecurity::ModSecurity engine;
    engine.setServerLogCb(told, modsecurity::RuleMessageLogProperty);
    modsecurity::RulesSet rules;
    for (int at = 1; at < count; at++) {
        if (rules.loadFromUri(files[at]) < 0) {
            std::cerr << rules.getParserError() << '\n';
            return 1;
        }
    }
    std::string method, uri, version, headers, body;
    while (std::cin >> method >> uri >> version >> headers >> body) {
        std::vector<int64_t> ids;
        modsecurity::Transaction transaction(&engine, &rules, &ids);
        transaction.processConnection("127.0.0.1", 40000, "127.0.0.1", 80);
        transaction.processURI(unhex(uri).c_str(), unhex(method).c_str(), unhex(version).c_str());
        add_headers(transaction, unhex(headers));
        transaction.processRequestHeaders();
        const std::string bytes = unhex(body);
        if (!bytes.empty()) {
            transaction.appendRequestBody(reinterpret_cast<const unsigned char *>(bytes.data()), bytes.size());
        }
        transaction.processRequestBody();
        transaction.processLogging();
        for (int64_t id : ids) {
            std::cout << id << ' ';
        }
        std::cout << '\n';
    }
}
