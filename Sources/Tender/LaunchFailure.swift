import Glibc
import SystemPackage

/// Why a program was not run: one line for the user, and the exit status that goes with it.
///
/// The line says what failed, on which file, why, and what to do next.
public struct LaunchFailure: Error, Equatable {
    public let message: String
    public let status: Int32

    /// `unirun` itself failed.
    public static let unirunStatus: Int32 = 125
    /// The program was found but cannot be run.
    public static let cannotRunStatus: Int32 = 126
    public static let notFoundStatus: Int32 = 127

    public init(_ message: String, status: Int32 = LaunchFailure.unirunStatus) {
        self.message = message
        self.status = status
    }

    static func cannotRun(_ program: String, _ reason: String) -> LaunchFailure {
        LaunchFailure("cannot run \(program): \(reason)", status: cannotRunStatus)
    }

    static func notFound(_ program: String, _ reason: String) -> LaunchFailure {
        LaunchFailure("cannot find \(program): \(reason)", status: notFoundStatus)
    }
}

/// Writes one line to standard error, whole, so that lines of others do not mix in.
public func reportLine(_ text: String) {
    let bytes = Array("unirun: \(text)\n".utf8)
    _ = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
}

/// What the host said about the last call that failed, in words.
func lastErrorText() -> String { Errno(rawValue: errno).description }
