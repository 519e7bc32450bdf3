// Prints what libmodsecurity makes of request bodies, for tests that compare it with ours.
//
// Each line of the input is "CONTENT-TYPE BODY COOKIE" in hexadecimal, "-" for an empty one. The answer
// is one line "VARIABLE NAME VALUE" for each variable, in the same manner, and "END".

#include <modsecurity/modsecurity.h>
#include <modsecurity/rules_set.h>
#include <modsecurity/transaction.h>

#include <iostream>
#include <string>

using modsecurity::AnchoredSetVariable;
using modsecurity::AnchoredVariable;

static std::string unhex(const std::string &text) {
    std::string bytes;
    for (size_t at = 0; text != "-" && at + 1 < text.size(); at += 2) {
        bytes.push_back(static_cast<char>(std::stoi(text.substr(at, 2), nullptr, 16)));
    }
    return bytes;
}

static std::string hex(const std::string &bytes) {
    static const char digits[] = "0123456789abcdef";
    std::string text;
    for (unsigned char byte : bytes) {
        text.push_back(digits[byte >> 4]);
        text.push_back(digits[byte & 15]);
    }
    return text.empty() ? "-" : text;
}

static void tell(AnchoredSetVariable &variables) {
    for (auto &entry : variables) {
        std::cout << variables.m_name << ' ' << hex(entry.first) << ' '
                  << hex(entry.second->getValue()) << '\n';
    }
}

static void tell(AnchoredVariable &variable) {
    std::cout << variable.m_name << " - " << hex(variable.m_value) << '\n';
}

int main() {
    modsecurity::ModSecurity engine;
    engine.setServerLogCb([](void *, const void *) {});
    modsecurity::RulesSet rules;
    const int loaded = rules.load(
        "SecRuleEngine On\nSecRequestBodyAccess On\n"
        "SecRule REQUEST_HEADERS:Content-Type \"@contains json\" "
        "\"id:1,phase:1,pass,nolog,ctl:requestBodyProcessor=JSON\"\n");
    if (loaded < 0) {
        std::cerr << rules.getParserError() << '\n';
        return 1;
    }
    std::string type, body, cookie;
    while (std::cin >> type >> body >> cookie) {
        modsecurity::Transaction t(&engine, &rules, nullptr);
        t.processConnection("127.0.0.1", 1, "127.0.0.1", 2);
        t.processURI("/", "POST", "1.1");
        t.addRequestHeader("Content-Type", unhex(type));
        if (cookie != "-") {
            t.addRequestHeader("Cookie", unhex(cookie));
        }
        t.processRequestHeaders();
        const std::string bytes = unhex(body);
        t.appendRequestBody(reinterpret_cast<const unsigned char *>(bytes.data()), bytes.size());
        t.processRequestBody();
        for (auto *variables : {&t.m_variableArgs, &t.m_variableFiles, &t.m_variableFilesNames,
                                &t.m_variableMultipartPartHeaders, &t.m_variableRequestCookies}) {
            tell(*variables);
        }
        for (auto *variable :
             {&t.m_variableReqbodyError, &t.m_variableFilesCombinedSize,
              &t.m_variableMultipartStrictError, &t.m_variableMultipartBoundaryQuoted,
              &t.m_variableMultipartBoundaryWhiteSpace, &t.m_variableMultipartDataBefore,
              &t.m_variableMultipartDataAfter, &t.m_variableMultipartHeaderFolding,
              &t.m_variableMultipartInvalidHeaderFolding, &t.m_variableMultipartLFLine,
              &t.m_variableMultipartCrlfLFLines, &t.m_variableMultipartMissingSemicolon,
              &t.m_variableMultipartInvalidQuoting, &t.m_variableMultipartInvalidPart,
              &t.m_variableMultipartFileLimitExceeded, &t.m_variableMultipartUnmatchedBoundary}) {
            tell(*variable);
        }
        std::cout << "END" << std::endl;
    }
    return 0;
}
