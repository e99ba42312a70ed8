// What C++'s library asks of a kernel: streams, exceptions, threads, file systems, regular
// expressions, and time.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <future>
#include <iomanip>
#include <iostream>
#include <map>
#include <mutex>
#include <numeric>
#include <random>
#include <regex>
#include <shared_mutex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <variant>
#include <vector>

namespace fs = std::filesystem;
using namespace std::chrono_literals;

static void streams() {
    std::ostringstream text;
    text << std::hex << std::showbase << 255 << ' ' << std::setprecision(10) << 3.14159265358979
         << ' ' << std::boolalpha << true << ' ' << std::setw(8) << std::setfill('*') << 42;
    std::cout << text.str() << '\n';
    std::string line;
    long lines = 0, words = 0;
    while (std::getline(std::cin, line)) {
        lines++;
        std::istringstream parts(line);
        for (std::string word; parts >> word;) words++;
    }
    std::cout << "lines " << lines << " words " << words << '\n';
    std::cerr << "an error line\n";
}

struct Guard {
    std::string &log;
    ~Guard() { log += "d"; }
};

static int fall(int depth, std::string &log) {
    Guard guard{log};
    if (depth == 0) throw std::out_of_range("the bottom");
    return fall(depth - 1, log) + 1;
}

static void exceptions() {
    std::string log;
    try {
        fall(10, log);
    } catch (const std::exception &error) {
        std::cout << error.what() << ' ' << log << '\n';
    }
    try {
        try {
            throw std::runtime_error("inner");
        } catch (...) {
            std::throw_with_nested(std::logic_error("outer"));
        }
    } catch (const std::logic_error &error) {
        try {
            std::rethrow_if_nested(error);
        } catch (const std::runtime_error &nested) {
            std::cout << error.what() << " around " << nested.what() << '\n';
        }
    }
    int caught = 0;
    for (int each = 0; each < 20000; each++) {
        try {
            throw each;
        } catch (int value) {
            caught += value % 2;
        }
    }
    std::cout << "caught " << caught << '\n';
    try {
        std::variant<int, std::string> either = 5;
        std::cout << std::get<std::string>(either);
    } catch (const std::bad_variant_access &) {
        std::cout << "bad access\n";
    }
    try {
        std::vector<char> huge(std::size_t(1) << 62);
    } catch (const std::bad_alloc &) {
        std::cout << "no memory\n";
    }
}

static void threads() {
    std::mutex mutex;
    std::condition_variable ready;
    std::shared_mutex shared;
    std::map<int, long> table;
    bool go = false;
    std::vector<std::thread> workers;
    for (int each = 0; each < 8; each++) {
        workers.emplace_back([&, each] {
            {
                std::unique_lock lock(mutex);
                ready.wait(lock, [&] { return go; });
            }
            for (int round = 0; round < 1000; round++) {
                std::unique_lock lock(shared);
                table[round % 10] += each;
            }
            std::shared_lock lock(shared);
            if (table.size() != 10) std::abort();
        });
    }
    {
        std::lock_guard lock(mutex);
        go = true;
    }
    ready.notify_all();
    for (auto &worker : workers) worker.join();
    for (auto [key, value] : table) std::cout << key << ':' << value << ' ';
    std::cout << '\n';
    std::vector<std::future<long>> parts;
    for (long each = 0; each < 6; each++) {
        parts.push_back(std::async(std::launch::async, [each] {
            long sum = 0;
            for (long n = 0; n < 100000; n++) sum += n % (each + 1);
            return sum;
        }));
    }
    for (auto &part : parts) std::cout << part.get() << ' ';
    std::cout << '\n';
    auto failing = std::async(std::launch::async, []() -> int { throw std::domain_error("afar"); });
    try {
        failing.get();
    } catch (const std::domain_error &error) {
        std::cout << "from the other thread: " << error.what() << '\n';
    }
    std::promise<void> never;
    auto status = never.get_future().wait_for(5ms);
    std::cout << "timeout " << (status == std::future_status::timeout) << '\n';
    thread_local static int own = 3;
    std::thread([] { own = 4; }).join();
    std::cout << "own " << own << '\n';
}

static void files() {
    fs::create_directories("files/one/two");
    for (int each = 0; each < 20; each++) {
        std::ofstream("files/one/" + std::to_string(each)) << std::string(each * 10, 'x') << '\n';
    }
    fs::copy("files/one", "files/copy", fs::copy_options::recursive);
    fs::rename("files/copy/5", "files/copy/two/five");
    fs::create_symlink("../one/6", "files/copy/link");
    fs::permissions("files/copy/6", fs::perms::owner_read);
    fs::resize_file("files/copy/7", 5000);
    std::vector<std::string> names;
    std::uintmax_t total = 0;
    for (const auto &entry : fs::recursive_directory_iterator("files")) {
        names.push_back(entry.path().generic_string());
        if (entry.is_regular_file() && !entry.is_symlink()) total += entry.file_size();
    }
    std::sort(names.begin(), names.end());
    std::cout << names.size() << " entries, " << total << " bytes, last " << names.back() << '\n';
    std::cout << fs::read_symlink("files/copy/link") << ' ' << fs::file_size("files/copy/link") << '\n';
    std::cout << std::oct << static_cast<int>(fs::status("files/copy/6").permissions()) << std::dec
              << ' ' << fs::equivalent("files/one/6", "files/copy/link") << '\n';
    try {
        fs::copy_file("files/absent", "files/other");
    } catch (const fs::filesystem_error &error) {
        std::cout << error.code().value() << ' ' << error.code().message() << '\n';
    }
    std::error_code code;
    fs::remove("files", code);
    std::cout << code.message() << '\n';
    std::fstream log("files/log", std::ios::in | std::ios::out | std::ios::trunc);
    for (int each = 0; each < 2000; each++) log << each << ' ' << each * each << '\n';
    log.seekg(0);
    long sum = 0;
    for (long n, square; log >> n >> square;) sum += square - n;
    std::cout << "sum " << sum << '\n';
    std::cout << "removed " << fs::remove_all("files") << '\n';
}

static void expressions() {
    std::mt19937 random(7);
    std::string text;
    for (int each = 0; each < 400; each++) {
        text += "user" + std::to_string(random() % 1000) + "@host" + std::to_string(random() % 10) + ".example ";
    }
    std::regex pattern("(user[0-9]+)@(host[0-4])\\.example");
    std::unordered_map<std::string, int> hosts;
    for (std::sregex_iterator each(text.begin(), text.end(), pattern), end; each != end; ++each) {
        hosts[(*each)[2]]++;
    }
    std::map<std::string, int> sorted(hosts.begin(), hosts.end());
    for (auto &[host, count] : sorted) std::cout << host << '=' << count << ' ';
    std::cout << '\n' << std::regex_replace(std::string("a-b-c"), std::regex("-"), "+") << '\n';
}

static void moments() {
    auto start = std::chrono::steady_clock::now();
    std::this_thread::sleep_for(15ms);
    std::this_thread::sleep_until(start + 20ms);
    std::cout << "slept " << (std::chrono::steady_clock::now() - start >= 20ms) << '\n';
    auto today = std::chrono::system_clock::now().time_since_epoch();
    std::cout << "after 2020 " << (today > std::chrono::seconds(1577836800)) << '\n';
}

int main(int count, char **arguments) {
    std::ios::sync_with_stdio(false);
    std::string only = count > 1 ? arguments[1] : "";
    const std::pair<const char *, void (*)()> sections[] = {
        {"streams", streams}, {"exceptions", exceptions}, {"threads", threads}, {"files", files},
        {"expressions", expressions}, {"moments", moments},
    };
    for (auto [name, body] : sections) {
        if (!only.empty() && only != name) continue;
        std::cout << "== " << name << std::endl;
        body();
    }
    std::cout.flush();
    if (only == "uncaught") throw std::runtime_error("left uncaught");
    return only == "status" ? 5 : 0;
}
