import Glibc

/// Why a program cannot be run, for people: what, which file, why, and what to do next.
public struct ProgramError: Error, Equatable, CustomStringConvertible, Sendable {
    public let path: String
    public let reason: String
    /// What the user can do about it.
    public let advice: String?
    /// 127 when there is no such file, 126 otherwise, as Docker and the shells have it.
    public let exitStatus: Int32

    public init(path: String, reason: String, advice: String? = nil, exitStatus: Int32 = 126) {
        self.path = path
        self.reason = reason
        self.advice = advice
        self.exitStatus = exitStatus
    }

    /// One line.
    public var description: String {
        let line = "cannot run \(path): \(reason)"
        guard let advice else { return line }
        return "\(line); \(advice)"
    }

    /// The file could not even be opened.
    init(path: String, opening error: Int32) {
        switch error {
        case ENOENT, ENOTDIR:
            self.init(path: path, reason: "no such file", advice: "check the path", exitStatus: 127)
        case EACCES, EPERM:
            self.init(
                path: path,
                reason: "permission to read it is denied",
                advice: "unirun loads programs itself, so it needs read permission (chmod +r)"
            )
        default:
            self.init(path: path, reason: String(cString: strerror(error)))
        }
    }

    /// The file is none that has contents.
    init(path: String, fileType: mode_t) {
        let name =
            switch fileType {
            case S_IFDIR: "a directory"
            case S_IFIFO: "a pipe"
            case S_IFSOCK: "a socket"
            case S_IFCHR, S_IFBLK: "a device"
            default: "no regular file"
            }
        self.init(path: path, reason: "it is \(name)", advice: "name the program's file")
    }
}
