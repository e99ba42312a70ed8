import Glibc

/// Where `unirun` keeps what it may make again: `$XDG_CACHE_HOME/unirun`, else `~/.cache/unirun`.
enum CacheFolder {
    /// The folder of one kind of things, made where it is missing.
    static func make(_ kind: String, for purpose: String) throws(LaunchFailure) -> String {
        guard let base else {
            throw LaunchFailure("cannot keep \(purpose): HOME is not set; set XDG_CACHE_HOME")
        }
        var path = base
        mkdir(path, 0o700)
        for part in ["unirun", kind] {
            path += "/" + part
            guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
                throw LaunchFailure(
                    "cannot keep \(purpose) in \(path): \(lastErrorText()); set XDG_CACHE_HOME"
                )
            }
        }
        return path
    }

    /// The same, whether it is there or not; nil where there is no place for a cache.
    static func path(_ kind: String) -> String? { base.map { "\($0)/unirun/\(kind)" } }

    private static var base: String? {
        if let named = hostVariable("XDG_CACHE_HOME"), named.hasPrefix("/") { return named }
        if let home = hostVariable("HOME"), home.hasPrefix("/") { return home + "/.cache" }
        return nil
    }
}
