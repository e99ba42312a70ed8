import Glibc
import LaunchRecord

/// What earlier runs told of the `syscall` instructions in one program's file: a file in
/// `$XDG_CACHE_HOME/unirun/sites`, named after device and inode.
///
/// It begins with what else tells one state of the program's file from another: a `u64` each of
/// magic, size and times of change. `KnownSite`s follow. Whatever is wrong with it, and where it
/// cannot be kept, it counts for nothing: calls are then caught and rewritten one by one.
struct SiteCache {
    /// "SITES", and the version.
    private static let magic: UInt64 = 0x0002_0053_4554_4953
    private static let headerWords = 4

    private let name: String
    private let header: [UInt64]

    /// - Parameter program: the program's file.
    init(_ program: stat) {
        func nanoseconds(_ time: timespec) -> UInt64 {
            UInt64(bitPattern: Int64(time.tv_sec)) &* 1_000_000_000
                &+ UInt64(bitPattern: Int64(time.tv_nsec))
        }
        name = "\(program.st_dev)-\(program.st_ino)"
        header = [
            Self.magic, UInt64(bitPattern: Int64(program.st_size)), nanoseconds(program.st_mtim),
            nanoseconds(program.st_ctim),
        ]
    }

    /// Sites of the file as it is now.
    func load() -> [KnownSite] {
        guard let folder = CacheFolder.path("sites") else { return [] }
        let descriptor = openFile("\(folder)/\(name)", O_RDONLY | O_NOFOLLOW)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        let limit = Self.headerWords + KnownSite.limit
        let words = [UInt64](unsafeUninitializedCapacity: limit) { words, count in
            count = max(read(descriptor, words.baseAddress, limit * 8), 0) / 8
        }
        guard words.starts(with: header) else { return [] }
        return words[Self.headerWords...].map { KnownSite(word: $0) }
    }

    /// Keeps more sites for the next run.
    func add(_ new: [KnownSite]) {
        guard !new.isEmpty, let folder = try? CacheFolder.make("sites", for: "a program's sites")
        else { return }
        // What is told anew tells more.
        let places = Set(new.map(\.offset))
        let sites = load().filter { !places.contains($0.offset) } + new
        let words = header + sites.prefix(KnownSite.limit).map(\.word)
        let unfinished = "\(folder)/work-\(getpid())"
        let descriptor = openFile(
            unfinished,
            O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW,
            mode: 0o600
        )
        guard descriptor >= 0 else { return }
        let isWhole = words.withUnsafeBytes { writeAll(descriptor, $0) }
        close(descriptor)
        guard isWhole, rename(unfinished, "\(folder)/\(name)") == 0 else {
            unlink(unfinished)
            return
        }
    }
}
