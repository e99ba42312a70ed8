/// A `struct io_uring_sqe`: what a program asks for, io_uring_enter(2).
struct SubmissionEntry: BitwiseCopyable {
    var operation: UInt8 = 0
    var flags: UInt8 = 0
    var priority: UInt16 = 0
    var descriptor: Int32 = 0
    var offset: UInt64 = 0
    var address: UInt64 = 0
    var length: UInt32 = 0
    var options: UInt32 = 0
    var userData: UInt64 = 0
    var bufferIndex: UInt16 = 0
    var personality: UInt16 = 0
    var fileIndex: UInt32 = 0
    var moreAddress: UInt64 = 0
    var padding: UInt64 = 0

    static var size: Int { 64 }

    /// Whether members that mean nothing to an operation are zero, as they must be.
    func isZero(_ members: Members) -> Bool {
        !(members.contains(.offset) && offset != 0
            || members.contains(.address) && address != 0
            || members.contains(.length) && length != 0
            || members.contains(.options) && options != 0
            || members.contains(.buffer) && bufferIndex != 0
            || members.contains(.file) && fileIndex != 0)
    }

    struct Members: OptionSet {
        let rawValue: UInt8
        static var offset: Members { Members(rawValue: 1) }
        static var address: Members { Members(rawValue: 2) }
        static var length: Members { Members(rawValue: 4) }
        static var options: Members { Members(rawValue: 8) }
        static var buffer: Members { Members(rawValue: 16) }
        static var file: Members { Members(rawValue: 32) }
    }
}

/// A `struct io_uring_cqe`.
struct CompletionEntry: BitwiseCopyable {
    var userData: UInt64
    var result: Int32
    var flags: UInt32

    static var size: Int { 16 }
    /// IORING_CQE_F_MORE: the request goes on.
    static var more: UInt32 { 2 }
    /// IORING_CQE_F_SOCK_NONEMPTY
    static var hasMoreBytes: UInt32 { 4 }
}

/// IOSQE_
struct EntryFlags: OptionSet {
    let rawValue: UInt8
    static var fixedFile: EntryFlags { EntryFlags(rawValue: 1) }
    static var drain: EntryFlags { EntryFlags(rawValue: 2) }
    static var link: EntryFlags { EntryFlags(rawValue: 4) }
    static var hardLink: EntryFlags { EntryFlags(rawValue: 8) }
    static var async: EntryFlags { EntryFlags(rawValue: 16) }
    static var bufferSelect: EntryFlags { EntryFlags(rawValue: 32) }
    static var skipSuccess: EntryFlags { EntryFlags(rawValue: 64) }
    static var known: EntryFlags { EntryFlags(rawValue: 127) }
    static var anyLink: EntryFlags { [.link, .hardLink] }
}

/// IORING_SETUP_ flags that are taken. Those left out are EINVAL: polling threads, polled devices,
/// larger entries, memory of the program's own, and work that waits until it is asked for.
struct SetupFlags: OptionSet {
    let rawValue: UInt32
    static var completionSize: SetupFlags { SetupFlags(rawValue: 1 << 3) }
    static var clamp: SetupFlags { SetupFlags(rawValue: 1 << 4) }
    static var attachWorkers: SetupFlags { SetupFlags(rawValue: 1 << 5) }
    static var disabled: SetupFlags { SetupFlags(rawValue: 1 << 6) }
    static var submitAll: SetupFlags { SetupFlags(rawValue: 1 << 7) }
    static var cooperative: SetupFlags { SetupFlags(rawValue: 1 << 8) }
    static var tellsWork: SetupFlags { SetupFlags(rawValue: 1 << 9) }
    static var singleIssuer: SetupFlags { SetupFlags(rawValue: 1 << 12) }
    static var noArray: SetupFlags { SetupFlags(rawValue: 1 << 16) }
    static var known: SetupFlags {
        [
            .completionSize, .clamp, .attachWorkers, .disabled, .submitAll, .cooperative,
            .tellsWork,
            .singleIssuer, .noArray,
        ]
    }
}

/// A `struct io_uring_params`.
struct SetupParameters: BitwiseCopyable {
    var submissions: UInt32
    var completions: UInt32
    var flags: UInt32
    var processor: UInt32
    var idle: UInt32
    var features: UInt32
    var workers: Int32
    var reserved: (UInt32, UInt32, UInt32)
    var submissionOffsets: Offsets
    var completionOffsets: Offsets

    /// `struct io_sqring_offsets` and, with other names, `struct io_cqring_offsets`.
    struct Offsets: BitwiseCopyable {
        var head: UInt32
        var tail: UInt32
        var mask: UInt32
        var entries: UInt32
        /// Of completions: how many were lost.
        var fifth: UInt32
        /// Of completions: the entries.
        var sixth: UInt32
        /// Of submissions the array, of completions the flags.
        var seventh: UInt32
        var reserved: UInt32
        var address: UInt64
    }
}

/// What can be asked for, with Linux's numbers: IORING_OP_.
enum Operation: UInt8 {
    case nothing = 0
    case readVector, writeVector, synchronize, readFixed, writeFixed, poll, removePoll
    case synchronizeRange, sendMessage, receiveMessage, timeout, removeTimeout, accept, cancel
    case linkTimeout, connect, allocate, open, close, updateFiles, statx, read, write
    case adviseFile, adviseMemory, send, receive, openHow, controlEpoll
    case shutDown = 34
    case rename, unlink, makeDirectory, makeSymbolicLink, makeLink
    case socket = 45
    case truncate = 55
    case bind, listen

    static let count = 58

    /// Whether `descriptor` is a file that is looked up when the request runs.
    var needsFile: Bool {
        switch self {
        case .readVector, .writeVector, .synchronize, .readFixed, .writeFixed, .poll, .sendMessage,
            .receiveMessage, .accept, .connect, .read, .write, .send, .receive:
            return true
        default: return false
        }
    }

    var takesPriority: Bool {
        switch self {
        case .readVector, .writeVector, .readFixed, .writeFixed, .read, .write, .sendMessage,
            .receiveMessage, .send, .receive, .accept:
            return true
        default: return false
        }
    }

    /// Members that must be zero.
    var unused: SubmissionEntry.Members {
        switch self {
        case .nothing: return .options
        case .synchronize, .synchronizeRange: return [.address, .buffer, .file]
        case .poll: return [.buffer, .offset, .address]
        case .removePoll, .rename, .makeLink, .statx, .adviseFile, .adviseMemory, .controlEpoll:
            return [.buffer, .file]
        case .sendMessage, .receiveMessage, .receive: return [.offset, .file]
        case .timeout, .linkTimeout: return [.buffer, .file]
        case .removeTimeout: return [.buffer, .length, .file]
        case .accept: return [.length, .buffer]
        case .cancel: return [.offset, .file]
        case .connect: return [.length, .buffer, .options, .file]
        case .allocate: return [.buffer, .options, .file]
        case .open, .openHow: return .buffer
        case .close: return [.offset, .address, .length, .options, .buffer]
        case .shutDown: return [.offset, .address, .options, .buffer, .file]
        case .unlink: return [.offset, .length, .buffer, .file]
        case .makeDirectory: return [.offset, .options, .buffer, .file]
        case .makeSymbolicLink: return [.length, .options, .buffer, .file]
        case .truncate: return [.options, .address, .length, .buffer, .file]
        case .socket: return [.address, .options, .buffer]
        case .bind, .listen: return [.options, .buffer, .file]
        case .updateFiles: return [.options, .file]
        case .readVector, .writeVector, .readFixed, .writeFixed, .read, .write, .send: return []
        }
    }
}
