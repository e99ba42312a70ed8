import Glibc

/// Finds the kernel image, a file beside the command.
enum KernelImage {
    static let fileName = "unirun.kernel"

    /// `$UNIRUN_KERNEL`, else beside `unirun`, else in `../lib/unirun` as `make install` puts it.
    static func find(
        override: String? = hostVariable("UNIRUN_KERNEL"),
        executable: String? = executablePath()
    ) throws(LaunchFailure) -> String {
        if let override, !override.isEmpty {
            if access(override, X_OK) == 0 { return override }
            throw LaunchFailure(
                "cannot start the kernel image \(override), which UNIRUN_KERNEL names: "
                    + "\(lastErrorText()); unset UNIRUN_KERNEL or correct it"
            )
        }
        guard let executable, let slash = executable.lastIndex(of: "/") else {
            throw LaunchFailure(
                "cannot find the kernel image: /proc is not mounted; set UNIRUN_KERNEL"
            )
        }
        let directory = executable[..<slash]
        let candidates = ["\(directory)/\(fileName)", "\(directory)/../lib/unirun/\(fileName)"]
        for candidate in candidates where access(candidate, X_OK) == 0 { return candidate }
        throw LaunchFailure(
            "cannot find the kernel image \(candidates[0]); run make build, or set UNIRUN_KERNEL"
        )
    }

    /// The file with the image's symbols: they may have been split off.
    static func symbols(of image: String) -> String {
        let separate = image + ".debug"
        return access(separate, R_OK) == 0 ? separate : image
    }

    /// The absolute path of the running command, links resolved (proc(5)).
    static func executablePath() -> String? {
        var path = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = path.withUnsafeMutableBytes {
            readlink("/proc/self/exe", $0.bindMemory(to: CChar.self).baseAddress!, $0.count)
        }
        return count > 0 ? String(decoding: path[..<count], as: UTF8.self) : nil
    }
}
